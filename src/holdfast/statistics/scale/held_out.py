"""How well a scale foretells scores that it was not fitted to, beside what needs no scale."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from holdfast.statistics.scale.fit import Scale, fit
from holdfast.statistics.scale.scores import Floats, Scores

_FOLDS: Final = 10


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Errors on rows that were left out, a tenth at a time."""

    rows: int
    """How many were foretold. A row whose subject or item has no other cannot be."""
    error: float
    """Root of the mean square, in shares."""
    missed: float
    """Mean of the absolute difference."""
    means: float
    """Root of the mean square of saying what the item's other rows have on average, and the subject's beyond that."""


def held_out(scale: Scale, *, folds: int = _FOLDS, seed: int = 0) -> HeldOut | None:
    """Cross-validate a scale, or say nothing where no row can be left out.

    Args:
        scale: as fitted to all.
        folds: parts into which the rows are dealt.
        seed: of the dealing.
    """
    scores = scale.scores
    fold = np.random.default_rng(seed).permutation(len(scores)) % folds
    expected, plain = np.full(len(scores), np.nan), np.full(len(scores), np.nan)
    for number in range(min(folds, len(scores))):
        left, rest = fold == number, scores.kept(fold != number)
        known = left & np.isin(scores.subject, rest.subject) & np.isin(scores.item, rest.item)
        if scale.anchor.item not in {scores.items[place] for place in np.unique(rest.item)} or not known.any():
            continue
        fitted = fit(rest, scale.anchor, scale.penalty, start=scale)
        expected[known] = fitted.expected(scores.subject[known], scores.item[known])
        plain[known] = _means(rest, scores.kept(known))
    told = ~np.isnan(expected)
    if not told.any():
        return None
    off = expected[told] - scores.value[told]
    return HeldOut(
        rows=int(told.sum()),
        error=float(np.sqrt(np.mean(off**2))),
        missed=float(np.mean(np.abs(off))),
        means=float(np.sqrt(np.mean((plain[told] - scores.value[told]) ** 2))),
    )


def _means(rest: Scores, asked: Scores) -> Floats:
    """The mean of an item, and what a subject has beyond the means of its items."""
    counts = np.maximum(1, np.bincount(rest.item, minlength=len(rest.items)))
    items = np.bincount(rest.item, weights=rest.value, minlength=len(rest.items)) / counts
    beyond = rest.value - items[rest.item]
    counts = np.maximum(1, np.bincount(rest.subject, minlength=len(rest.subjects)))
    subjects = np.bincount(rest.subject, weights=beyond, minlength=len(rest.subjects)) / counts
    return np.clip(items[asked.item] + subjects[asked.subject], 0, 1)
