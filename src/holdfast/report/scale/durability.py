"""The scale of defences and attacks, fitted to cells.

    success(d, a) = sigmoid(slope_a (strength_a - durability_d))

after arXiv 2512.00193: what a defence withholds is its score on an attack, durability its ability, strength the
attack's difficulty (`statistics.scale.fit`). The undefended model's durability is 0, and one attack's slope is 1.

What every attack failed on (an oracle), and attacks that broke nothing or everything, have no place but an end of the
scale: they are left out of the fit, and told as bounds. So are models and attacks that no chain of cells joins to the
undefended model.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import DataError, UnknownName
from holdfast.records import Role
from holdfast.report.scale.cells import Cell, Cells
from holdfast.statistics.scale.fit import Anchor, Penalty, Scale, fit
from holdfast.statistics.scale.held_out import HeldOut, held_out
from holdfast.statistics.scale.placed import bound
from holdfast.statistics.scale.resamples import resampled
from holdfast.statistics.scale.scores import Scores, scores
from holdfast.statistics.scale.wanted import wanted

_NEXT = 10
"""Cells to run next that are told."""


@dataclass(frozen=True, kw_only=True)
class Durable:
    """One model on the scale."""

    model: str
    role: Role
    durability: float | None
    """None where it is only known to be `low` or more."""
    low: float | None
    high: float | None
    """None with a durability: too few cells for an interval. Without one: no upper bound."""
    cells: int


@dataclass(frozen=True, kw_only=True)
class Strong:
    """One attack on the scale."""

    attack: str
    strength: float | None
    """None where it broke nothing, or everything: then only a bound is known."""
    low: float | None
    high: float | None
    slope: float | None
    """How sharply it tells defences apart; 1 is that of the anchored attack."""
    slope_low: float | None
    slope_high: float | None
    cells: int


@dataclass(frozen=True, kw_only=True)
class Next:
    """A cell that nobody has run, and that would tell much."""

    model: str
    attack: str
    information: float
    """Nats."""
    expected: float
    """The success that the scale expects."""


@dataclass(frozen=True, kw_only=True)
class Durability:
    """A scale of defences and attacks."""

    domain: str
    zero: str
    """The undefended model whose durability is 0."""
    unit: str
    """The attack whose slope is 1."""
    penalty: Penalty
    models: list[Durable]
    """The most durable first, then those without a place."""
    attacks: list[Strong]
    """The strongest first."""
    apart: list[str]
    """Models and attacks that no chain of cells joins to the rest."""
    cells: list[Cell]
    fitted: int
    """Cells in the fit."""
    gaps: int
    resamples: int
    error: float
    """Root of the mean square, in success, of the cells that were fitted."""
    held_out: HeldOut | None
    next: list[Next]


def durability(
    given: Cells,
    *,
    unit: str = "",
    zero: str = "",
    penalty: Penalty | None = None,
    resamples: int = 100,
    workers: int = 1,
    told: Callable[[int], None] = lambda _: None,
) -> Durability:
    """Fit the scale.

    Args:
        given: cells of one domain.
        unit: the attack whose slope is 1; the one with most cells off 0 and 1 unless given.
        zero: the undefended model whose durability is 0; the one with most cells unless given.
        penalty: none means `Penalty()`.
        resamples: fits for the intervals.
        workers: processes for them.
        told: is told after each of them how many there are.

    Raises:
        DataError: there is no undefended model, or no attack that broke some models and not others.
        UnknownName: there is no attack or model of a name that is given.
    """
    listed = given.cells
    everything = scores(
        ((cell.model, cell.attack, 1 - cell.success) for cell in listed), [cell.noise for cell in listed]
    )
    roles: dict[str, Role] = {cell.model: cell.role for cell in listed}
    zero = zero or _most([cell.model for cell in listed if cell.role == "undefended"])
    if not zero:
        raise DataError("no record is of an undefended model, so durability has no 0: attack that one too.")
    if zero not in everything.subjects:
        raise UnknownName("model", zero, everything.subjects)
    if unit and unit not in everything.items:
        raise UnknownName("attack", unit, everything.items)
    rows, ends = _informative(everything, keep=zero)
    unit = unit or _most(everything.items[place] for place in everything.item[rows])
    if unit not in {everything.items[place] for place in everything.item[rows]}:
        raise DataError(
            f"no cell of {unit or 'any attack'} tells models apart: an attack is needed that breaks some of them more "
            "than others."
        )
    joined, on = everything.kept(rows).joined(everything.items.index(unit))
    if not joined[everything.subjects.index(zero)]:
        raise DataError(f"no chain of cells joins {zero} to {unit}: attack {zero} with more of the same attacks.")
    rows &= joined[everything.subject] & on[everything.item]
    used = _compact(everything.kept(rows))
    scale = fit(used, Anchor(item=unit, subject=zero), penalty)
    sure = resampled(scale, resamples, workers=workers, told=told)
    counted = Counter(cell.model for cell in listed), Counter(cell.attack for cell in listed)
    models = [
        Durable(
            model=name,
            role=roles[name],
            durability=float(scale.ability[at]),
            low=_number(sure.ability[0, at]),
            high=_number(sure.ability[1, at]),
            cells=counted[0][name],
        )
        for at, name in enumerate(used.subjects)
    ]
    attacks = [
        Strong(
            attack=name,
            strength=float(scale.difficulty[at]),
            low=_number(sure.difficulty[0, at]),
            high=_number(sure.difficulty[1, at]),
            slope=float(scale.slope[at]),
            slope_low=_number(sure.slope[0, at]),
            slope_high=_number(sure.slope[1, at]),
            cells=counted[1][name],
        )
        for at, name in enumerate(used.items)
    ]
    bounded = _bounds(everything, scale, ends)
    models += [
        Durable(model=name, role=roles[name], durability=None, low=low, high=high, cells=counted[0][name])
        for name, (low, high) in bounded[0].items()
    ]
    attacks += [
        Strong(
            attack=name,
            strength=None,
            low=low,
            high=high,
            slope=None,
            slope_low=None,
            slope_high=None,
            cells=counted[1][name],
        )
        for name, (low, high) in bounded[1].items()
    ]
    there = {one.model for one in models} | {one.attack for one in attacks}
    return Durability(
        domain=given.domain,
        zero=zero,
        unit=unit,
        penalty=scale.penalty,
        models=sorted(models, key=lambda one: -_rank(one.durability, one.low, one.high)),
        attacks=sorted(attacks, key=lambda one: -_rank(one.strength, one.low, one.high)),
        apart=[name for name in (*everything.subjects, *everything.items) if name not in there],
        cells=listed,
        fitted=len(used),
        gaps=given.gaps,
        resamples=resamples,
        error=scale.error,
        held_out=held_out(scale),
        next=[
            Next(model=one.subject, attack=one.item, information=one.information, expected=1 - one.expected)
            for one in wanted(scale)[:_NEXT]
        ],
    )


@dataclass(frozen=True, kw_only=True)
class _Ends:
    """Who stands at an end of the scale."""

    durable: NDArray[np.bool_]
    """[subjects]: no attack succeeded."""
    weak: NDArray[np.bool_]
    """[items]: it broke nothing."""
    strong: NDArray[np.bool_]
    """[items]: it broke everything."""


def _informative(given: Scores, *, keep: str) -> tuple[NDArray[np.bool_], _Ends]:
    """The rows that tell anything but an end, and whose rows they are not."""
    subjects, items = len(given.subjects), len(given.items)
    durable = given.saturated(given.subject, subjects, 1.0)
    durable[given.subjects.index(keep)] = False
    rest = given.kept(~durable[given.subject])
    weak, strong = rest.saturated(rest.item, items, 1.0), rest.saturated(rest.item, items, 0.0)
    # What was tried on oracles alone is known to be no stronger than they are durable, which is nothing.
    ends = _Ends(durable=durable, weak=weak, strong=strong & ~weak)
    return ~(durable[given.subject] | weak[given.item] | strong[given.item]), ends


def _bounds(
    given: Scores, scale: Scale, ends: _Ends
) -> tuple[dict[str, tuple[float | None, float | None]], dict[str, tuple[float | None, float | None]]]:
    """(low, high) of the durability of models, and of the strength of attacks, that stand at an end."""
    on = {name: at for at, name in enumerate(scale.scores.items)}
    of = {name: at for at, name in enumerate(scale.scores.subjects)}
    models: dict[str, tuple[float | None, float | None]] = {}
    for place in np.flatnonzero(ends.durable):
        rows = np.flatnonzero(given.subject == place)
        rows = rows[[given.items[item] in on for item in given.item[rows]]]
        known = np.array([on[given.items[item]] for item in given.item[rows]], dtype=np.intp)
        if len(rows):
            low = bound(scale.slope[known], scale.difficulty[known], given.value[rows], given.noise[rows])
            models[given.subjects[place]] = (low, None)
    attacks: dict[str, tuple[float | None, float | None]] = {}
    for place in np.flatnonzero(ends.weak | ends.strong):
        rows = np.flatnonzero(given.item == place)
        rows = rows[[given.subjects[subject] in of for subject in given.subject[rows]]]
        ability = scale.ability[[of[given.subjects[subject]] for subject in given.subject[rows]]]
        if not len(rows):
            continue
        # Whose slope is not known: the anchor's is taken.
        sharp = np.ones(len(rows))
        if ends.strong[place]:
            low = bound(sharp, ability, 1 - given.value[rows], given.noise[rows])
            attacks[given.items[place]] = (low, None)
        else:
            high = bound(sharp, -ability, given.value[rows], given.noise[rows])
            attacks[given.items[place]] = (None, None if high is None else -high)
    return models, attacks


def _compact(given: Scores) -> Scores:
    """Without subjects and items that no row is left of."""
    names = [(given.subjects[one], given.items[other]) for one, other in zip(given.subject, given.item, strict=True)]
    return scores(
        ((one, other, float(value)) for (one, other), value in zip(names, given.value, strict=True)), given.noise
    )


def _most(names: Iterable[str]) -> str:
    counted = Counter(names)
    return counted.most_common(1)[0][0] if counted else ""


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _rank(value: float | None, low: float | None, high: float | None) -> float:
    """Where it stands in an order: what has a lower bound alone is high, what has an upper one alone is low."""
    if value is not None:
        return value
    return 1e3 + low if low is not None else -1e3 + (high or 0.0)
