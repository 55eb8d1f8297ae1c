"""Who judged harm: one judge for all figures of a report, and what others say beside it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from holdfast.config import canonical
from holdfast.errors import DataError
from holdfast.records import Record, Role, Rung
from holdfast.report.opinions import Opinion
from holdfast.report.verdict.evidence import Evidence
from holdfast.report.verdict.labels import attack_label
from holdfast.report.verdict.measured import before, figure, worst
from holdfast.statistics.crossing import first_break, harms
from holdfast.statistics.multiplier import Multiplier, attack_key

OWN: Final = "own"
"""The judge that goes without saying: the domain's own score."""
_COMPARED: Final = ("agreement", "kappa", "rank")


def decider(record: Record) -> tuple[str, Mapping[str, Any]]:
    """The judge whose harm counts, with its settings."""
    return next(iter(record.domain.judges.items()), (OWN, {}))


def judges(records: Iterable[Record]) -> dict[str, dict[str, Any]]:
    """All judges of some records with their settings, the one that decides first.

    Raises:
        DataError: several decided: their harms are not to be compared.
    """
    judged = [record for record in records if any(harm is not None for harm in harms(record))]
    first = {canonical(decider(record)): decider(record) for record in judged}
    if len(first) > 1:
        told = sorted({called(*one) for one in first.values()})
        if len(told) < len(first):  # the same one, with other settings
            told = sorted(f"{name} with {canonical(settings)}" for name, settings in first.values())
        raise DataError(
            f"harm was judged by several ({'; '.join(told)}), and what one says is not to be compared with what "
            "another does: put the records of each in a folder of its own."
        )
    found: dict[str, dict[str, Any]] = {}
    for record in judged:
        for name, settings in (record.domain.judges or {OWN: {}}).items():
            found.setdefault(name, settings)
    return found


def called(name: str, settings: Mapping[str, Any]) -> str:
    """A judge in words: by its name, and its model where it has one."""
    return f"{name} with {settings['model']}" if settings.get("model") else name


def opinions(evidence: Evidence, found: Multiplier, threshold: float) -> list[Opinion]:
    """What each judge says of each model, where several judged; nothing where one did."""
    sides: dict[Role, str | None] = {
        "undefended": found.undefended.at_attack if found.undefended else None,
        "defended": found.defended.at_attack if found.defended else None,
    }
    return [one for role, key in sides.items() for one in _of(evidence, role, key, threshold)]


def _of(evidence: Evidence, role: Role, key: str | None, threshold: float) -> list[Opinion]:
    """All judges on one model."""
    records = [record for record in evidence.attacks[role] if record.rungs]
    names = list(dict.fromkeys(name for record in records for name in record.domain.judges))
    if len(names) < 2:
        return []
    broke = next((record for record in records if attack_key(record) == key), None)
    most = broke or max(records, key=lambda record: worst([record]).value or 0.0)
    rung = _broken(most, threshold) if broke else max(most.rungs, key=_harm)
    return [_opinion(evidence, role, name, most, rung, decides=name == names[0]) for name in names]


def _broken(record: Record, threshold: float) -> Rung:
    at = first_break(harms(record), threshold)
    assert at is not None, "an attack that broke the model has a rung where it did"
    return record.rungs[at]


def _harm(rung: Rung) -> float:
    return (rung.scores["harm"].value or 0.0) if "harm" in rung.scores else 0.0


def _opinion(evidence: Evidence, role: Role, name: str, record: Record, rung: Rung, *, decides: bool) -> Opinion:
    score = "harm" if decides else f"harm_{name}"
    compared = {} if decides else {what: figure(rung.scores.get(f"{what}_{name}")) for what in _COMPARED}
    return Opinion(
        role=role,
        judge=name,
        decides=decides,
        before=figure(before(evidence.starts[role], score)),
        after=figure(rung.scores.get(score)),
        attack=attack_label(record),
        steps=rung.budget.steps,
        **compared,
    )
