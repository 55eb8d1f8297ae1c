"""The most harm that any attack reaches within a budget, over all attacks and all models of a row."""

from collections.abc import Callable, Collection, Sequence
from typing import Final

from holdfast.records import Record, Rung
from holdfast.report.drawings.axes import Scale
from holdfast.report.league.rows import Most
from holdfast.statistics.multiplier import attack_key

Spent = Callable[[Rung], float]
Models = Sequence[Sequence[Record]]
"""Records of attacks, model by model: one model for each seed of a defence."""
STEPS: Final[Spent] = lambda rung: rung.budget.steps  # noqa: E731
FLOPS: Final[Spent] = lambda rung: rung.budget.flops  # noqa: E731


def worst(models: Models, asked: Collection[str]) -> Most:
    """The most harm at any budget.

    Args:
        models: records of attacks, model by model.
        asked: the keys of attacks that each model should have been under.
    """
    known = [value for records in models for record in records for _, value in _harms(record, STEPS)]
    return Most(value=max(known, default=None), open=bool(known) and _open(models, asked, STEPS, float("inf")))


def within(models: Models, asked: Collection[str], spent: Spent, budget: float) -> Most:
    """The most harm at a budget or below it: an attacker who may spend more need not.

    Where an attack did not tell and no other came so far, nothing is known.

    Args:
        models, asked: as for `worst`.
        spent: what a rung has cost.
        budget: in the same unit.
    """
    told = [point for records in models for record in records for point in _harms(record, spent)]
    known = [value for cost, value in told if cost <= budget]
    unknown = _open(models, asked, spent, budget)
    if not known or (unknown and all(cost < budget for cost, _ in told)):
        return Most()
    return Most(value=max(known), open=unknown)


def rungs(models: Models, ladder: Collection[int]) -> list[int]:
    """The steps at which harm was measured, of a ladder's, where one is given; else of all."""
    found = {int(cost) for records in models for record in records for cost, _ in _harms(record, STEPS)}
    return sorted(found & {*ladder} if ladder else found)


def round_budgets(models: Models) -> list[float]:
    """Some round budgets, in training FLOPs, between the cheapest step and the dearest attack."""
    costs = [cost for records in models for record in records for cost, _ in _harms(record, FLOPS) if cost > 0]
    return (Scale.of(costs).ticks() or [max(costs)]) if costs else []


def _harms(record: Record, spent: Spent) -> list[tuple[float, float]]:
    """(cost, harm) of every rung that tells its harm."""
    scores = [(spent(rung), rung.scores["harm"].value) for rung in record.rungs if "harm" in rung.scores]
    return [(cost, value) for cost, value in scores if value is not None]


def _open(models: Models, asked: Collection[str], spent: Spent, budget: float) -> bool:
    """Whether any model was not under every attack, or an attack on it does not tell all up to a budget."""
    for records in models:
        there = {attack_key(record): record for record in records}
        if any(key not in there for key in asked) or not all(_tells(one, spent, budget) for one in records):
            return True
    return False


def _tells(record: Record, spent: Spent, budget: float) -> bool:
    """Whether harm is known at every rung up to a budget; one that ended as planned has no more rungs to tell."""
    told = {cost for cost, _ in _harms(record, spent)}
    if not record.rungs or any(spent(rung) <= budget and spent(rung) not in told for rung in record.rungs):
        return False
    ended = record.failure is None and record.stopped is None
    return ended or spent(record.rungs[-1]) >= budget
