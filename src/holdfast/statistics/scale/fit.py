"""The latent scale: what each subject can do, how hard each item is, and how sharply it tells subjects apart.

    score(s, i) = sigmoid(slope_i (ability_s - difficulty_i))

Source: arXiv 2512.00193, "A Rosetta Stone for AI Benchmarks", with models as subjects and benchmarks as items; the
two-parameter logistic model of item response theory (Birnbaum 1968) with shares for answers. With defences as subjects
and attacks as items, and what a defence withholds as score, ability is durability and difficulty is strength:

    success(d, a) = 1 - score = sigmoid(slope_a (strength_a - durability_d))

A score of 0 or 1 is a row like any other: no logarithm of it is taken. Abilities, difficulties and slopes are told from
one another by an anchor: one item's slope is 1, and its difficulty (or one subject's ability) is 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from scipy.optimize import least_squares
from scipy.special import expit

from holdfast.errors import UnknownName
from holdfast.statistics.scale.scores import Floats, Places, Scores

_FARTHEST: Final = 10.0
"""Abilities and difficulties lie within +-10, slopes within .1 and 10 (the paper's code, `fit.py`)."""
_FLATTEST: Final = 0.1
_INSIDE: Final = 1e-6
"""How far from a bound a fit begins at least."""
_LOOSE: Final = 0.01
_SPREAD: Final = 0.1
"""Standard deviation of the abilities and difficulties that the fit starts from (ibid.); slopes start at the
anchor's."""


Kind = Literal["squares", "log_slopes"]


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """What 0 and 1 mean on the scale."""

    item: str
    """Its slope is given."""
    subject: str | None = None
    """Its ability is 0; without one, the difficulty of the anchored item is."""
    slope: float = 1.0
    """The unit: of a steep item more than 1, so that places do not run into their bounds."""


@dataclass(frozen=True, kw_only=True)
class Penalty:
    """What keeps the fit from running away where the scores do not decide: strength times a mean of squares.

    `squares` is the paper's: of all abilities, difficulties and free slopes. It draws slopes to 0, and so stretches the
    scale. `log_slopes` has the logarithms of the slopes in it instead, and draws them to that of the anchor; places it
    holds a hundred times more loosely, which is for those alone that no score holds.
    """

    kind: Kind = "log_slopes"
    strength: float = 0.1
    """As in the paper."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A fitted scale."""

    scores: Scores
    anchor: Anchor
    penalty: Penalty
    ability: Floats
    """[subjects]"""
    difficulty: Floats
    """[items]"""
    slope: Floats
    """[items]"""

    def expected(self, subject: Places, item: Places) -> Floats:
        """The scores that the scale expects, each in (0, 1)."""
        return expit(self.slope[item] * (self.ability[subject] - self.difficulty[item]))

    def gradient(self, subject: Places, item: Places) -> Floats:
        """[rows, parameters]: by how much each expected score grows with each ability, difficulty and free slope."""
        value = self.expected(subject, item)
        steep, rows = value * (1 - value), np.arange(len(value))
        found = np.zeros((len(value), len(self.ability) + 2 * len(self.slope)))
        found[rows, subject] = steep * self.slope[item]
        found[rows, len(self.ability) + item] = -steep * self.slope[item]
        first = len(self.ability) + len(self.slope)
        found[rows, first + item] = steep * (self.ability[subject] - self.difficulty[item])
        return np.delete(found, first + self.scores.items.index(self.anchor.item), axis=1)

    @property
    def held(self) -> Floats:
        """[parameters]: the root of how hard the penalty holds each, where it is; logarithms by their change."""
        pull = np.full(len(self.ability) + 2 * len(self.slope) - 1, self.penalty.strength)
        pull = np.sqrt(pull / len(pull))
        if self.penalty.kind == "log_slopes":
            places = len(self.ability) + len(self.slope)
            pull[:places] *= np.sqrt(_LOOSE)
            pull[places:] /= np.delete(self.slope, self.scores.items.index(self.anchor.item))
        return pull

    @property
    def error(self) -> float:
        """The root of the mean square by which the scale misses the scores that it was fitted to."""
        missed = self.expected(self.scores.subject, self.scores.item) - self.scores.value
        return float(np.sqrt(np.mean(missed**2)))


def fit(
    scores: Scores,
    anchor: Anchor,
    penalty: Penalty | None = None,
    *,
    weights: Floats | None = None,
    start: Scale | None = None,
    seed: int = 42,
    tolerance: float = 1e-8,
) -> Scale:
    """Fit a scale by least squares (`scipy.optimize.least_squares`; dogbox takes half as long as the paper's `trf`).

    Args:
        scores: at least one row of the anchored item.
        anchor: what 0 and 1 mean.
        penalty: none means `Penalty()`.
        weights: [rows], of each row's squared error; none means 1 each.
        start: begin at another fit of the same subjects and items, which is quicker.
        seed: of the abilities and difficulties to begin at, where nothing is given (the paper's code: 42).
        tolerance: it ends when a step lessens the error by less than this share (scipy's own: 1e-8).

    Raises:
        UnknownName: the anchor is not among the scores.
    """
    penalty = penalty or Penalty()
    pinned = _place("item", anchor.item, scores.items)
    subjects, items = len(scores.subjects), len(scores.items)
    slopes = slice(subjects + items, None)
    roots = np.ones(len(scores)) if weights is None else np.sqrt(weights)
    logs = penalty.kind == "log_slopes"

    def scale(theta: Floats) -> Scale:
        return Scale(
            scores=scores,
            anchor=anchor,
            penalty=penalty,
            ability=theta[:subjects],
            difficulty=theta[subjects : subjects + items],
            slope=np.insert(theta[slopes], pinned, anchor.slope),
        )

    def residuals(theta: Floats) -> Floats:
        now, drawn = scale(theta), theta.copy()
        if logs:
            drawn[slopes] *= np.log(drawn[slopes] / anchor.slope)
        return np.concatenate([roots * (now.expected(scores.subject, scores.item) - scores.value), now.held * drawn])

    def jacobian(theta: Floats) -> Floats:
        now = scale(theta)
        return np.vstack([roots[:, None] * now.gradient(scores.subject, scores.item), np.diag(now.held)])

    if start is None:
        drawn = np.random.default_rng(seed).normal(0, _SPREAD, subjects + items)
        begin = np.concatenate([drawn, np.full(items - 1, anchor.slope)])
    else:
        begin = np.concatenate([start.ability, start.difficulty, np.delete(start.slope, pinned)])
    low = np.concatenate([np.full(subjects + items, -_FARTHEST), np.full(items - 1, _FLATTEST)])
    begin = np.clip(begin, low + _INSIDE, _FARTHEST - _INSIDE)
    derivative: Any = jacobian
    found = scale(
        least_squares(residuals, begin, derivative, bounds=(low, _FARTHEST), method="dogbox", ftol=tolerance).x
    )
    zero = found.difficulty[pinned]
    if anchor.subject is not None:
        zero = found.ability[_place("subject", anchor.subject, scores.subjects)]
    return replace(found, ability=found.ability - zero, difficulty=found.difficulty - zero)


def _place(kind: str, name: str, known: Sequence[str]) -> int:
    if name not in known:
        raise UnknownName(kind, name, known)
    return known.index(name)
