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
from dataclasses import replace

import numpy as np

from holdfast.errors import DataError, UnknownName
from holdfast.report.scale.cells import Cell, Cells
from holdfast.report.scale.ends import bounds, informative
from holdfast.report.scale.found import Durability, Durable, Next, Strong
from holdfast.statistics.scale.fit import Anchor, Penalty, Scale, fit
from holdfast.statistics.scale.held_out import held_out
from holdfast.statistics.scale.resamples import Intervals, resampled
from holdfast.statistics.scale.scores import Scores, scores
from holdfast.statistics.scale.wanted import wanted

_NEXT = 10
"""Cells to run next that are told."""


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
    zero = _zero(listed, zero)
    rows, ends = informative(everything, keep=zero)
    unit = _unit(everything, everything.kept(rows), unit)
    joined, on = everything.kept(rows).joined(everything.items.index(unit))
    if not joined[everything.subjects.index(zero)]:
        raise DataError(f"no chain of cells joins {zero} to {unit}: attack {zero} with more of the same attacks.")
    used = _compact(everything.kept(rows & joined[everything.subject] & on[everything.item]))
    scale = fit(used, Anchor(item=unit, subject=zero), penalty)
    sure = resampled(scale, resamples, workers=workers, told=told)
    durable_ends, strong_ends = bounds(everything, scale, ends)
    models = _models(listed, scale, sure)
    models += [
        replace(_model(listed, name), durability=None, low=low, high=high) for name, (low, high) in durable_ends.items()
    ]
    attacks = _attacks(listed, scale, sure)
    attacks += [replace(_attack(listed, name), low=low, high=high) for name, (low, high) in strong_ends.items()]
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


def _zero(listed: list[Cell], asked: str) -> str:
    """The undefended model whose durability is 0."""
    undefended = [cell.model for cell in listed if cell.role == "undefended"]
    if not undefended:
        raise DataError("no record is of an undefended model, so durability has no 0: attack that one too.")
    if asked and asked not in undefended:
        raise UnknownName("undefended model", asked, dict.fromkeys(undefended))
    return asked or _most(undefended)


def _unit(everything: Scores, rest: Scores, asked: str) -> str:
    """The attack whose slope is 1, of those that tell models apart."""
    if asked and asked not in everything.items:
        raise UnknownName("attack", asked, everything.items)
    telling = [rest.items[place] for place in rest.item]
    if not telling or (asked and asked not in telling):
        raise DataError(
            f"no cell of {asked or 'any attack'} tells models apart: an attack is needed that breaks some of them more "
            "than others."
        )
    return asked or _most(telling)


def _models(listed: list[Cell], scale: Scale, sure: Intervals) -> list[Durable]:
    return [
        replace(
            _model(listed, name),
            durability=float(scale.ability[at]),
            low=_number(sure.ability[0, at]),
            high=_number(sure.ability[1, at]),
        )
        for at, name in enumerate(scale.scores.subjects)
    ]


def _attacks(listed: list[Cell], scale: Scale, sure: Intervals) -> list[Strong]:
    return [
        replace(
            _attack(listed, name),
            strength=float(scale.difficulty[at]),
            low=_number(sure.difficulty[0, at]),
            high=_number(sure.difficulty[1, at]),
            slope=float(scale.slope[at]),
            slope_low=_number(sure.slope[0, at]),
            slope_high=_number(sure.slope[1, at]),
        )
        for at, name in enumerate(scale.scores.items)
    ]


def _model(listed: list[Cell], name: str) -> Durable:
    """A model without a place."""
    own = [cell for cell in listed if cell.model == name]
    return Durable(model=name, role=own[0].role, cells=len(own))


def _attack(listed: list[Cell], name: str) -> Strong:
    """An attack without a place."""
    return Strong(attack=name, cells=sum(cell.attack == name for cell in listed))


def _compact(given: Scores) -> Scores:
    """Without subjects and items that no row is left of."""
    names = zip(given.subject, given.item, given.value, strict=True)
    rows = [(given.subjects[one], given.items[other], float(value)) for one, other, value in names]
    return scores(rows, given.noise)


def _most(names: Iterable[str]) -> str:
    return Counter(names).most_common(1)[0][0]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _rank(value: float | None, low: float | None, high: float | None) -> float:
    """Where it stands in an order: what has a lower bound alone is high, what has an upper one alone is low."""
    if value is not None:
        return value
    return 1e3 + low if low is not None else -1e3 + (high or 0.0)
