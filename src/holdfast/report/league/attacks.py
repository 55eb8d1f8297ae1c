"""Each attack by itself: the harm that it does, and, where it learns from rewards, what they came to."""

from collections.abc import Collection, Sequence
from statistics import fmean

from holdfast.records import Record
from holdfast.report.league.budgets import Models, worst
from holdfast.report.league.rows import Earned, Most
from holdfast.report.verdict.labels import attack_label
from holdfast.statistics.multiplier import attack_key


def labels(models: Models) -> list[str]:
    """Every attack in words, draws of one attack as one, in order."""
    return sorted({attack_label(record) for records in models for record in records})


def rewarded(models: Models) -> list[str]:
    """Those of them that tell a reward."""
    return labels([[record for record in records if _rewards(record)] for records in models])


def each(models: Models, asked: Models, attacks: Collection[str]) -> list[Most]:
    """The most harm of each attack, at any budget, of any draw and model.

    Args:
        models: records of a row, model by model.
        asked: those of the undefended model: what every model should have been under.
        attacks: labels.
    """
    found: list[Most] = []
    for label in attacks:
        keys = {attack_key(record) for records in _only(asked, label) for record in records}
        found.append(worst(_only(models, label), keys))
    return found


def earned(models: Models, attacks: Collection[str]) -> list[Earned]:
    """What each attack by reinforcement was rewarded with, at first and at last, and the harm by then: means."""
    return [_mean([record for records in _only(models, label) for record in records]) for label in attacks]


def _only(models: Models, label: str) -> list[list[Record]]:
    return [[record for record in records if attack_label(record) == label] for records in models]


def _mean(records: Sequence[Record]) -> Earned:
    told = [(found[0], found[-1], _harm(record)) for record in records if (found := _rewards(record))]
    whole = [(first, last, harm) for first, last, harm in told if harm is not None]
    if not whole or len(whole) < len(records):
        return Earned()
    return Earned(*map(fmean, zip(*whole, strict=True)))


def _rewards(record: Record) -> list[float]:
    """Of the rungs that tell one."""
    scores = [rung.scores["reward"].value for rung in record.rungs if "reward" in rung.scores]
    return [value for value in scores if value is not None]


def _harm(record: Record) -> float | None:
    """At the last rung, where it tells it."""
    return record.rungs[-1].scores["harm"].value if "harm" in record.rungs[-1].scores else None
