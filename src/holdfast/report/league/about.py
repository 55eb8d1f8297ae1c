"""How a league table was made: seeds, attacks, controls, and every run that failed."""

from collections.abc import Iterable, Sequence
from typing import Final

from holdfast.records import Record
from holdfast.report.league.rows import Told
from holdfast.report.schema import Report
from holdfast.report.verdict.evidence import Evidence, trains
from holdfast.report.verdict.labels import attack_label, model_label
from holdfast.report.verdict.models import UNMADE, seed

_KINDS: Final = {"generalization": ", unseen categories", "search": ", a trial of the search"}


def about(report: Report, evidence: Sequence[Evidence], records: Iterable[Record]) -> list[Told]:
    """What to know before reading a figure.

    Args:
        report: what was made of the records.
        evidence: on each hardened model, in the order of the report's verdicts.
        records: all of them.
    """
    records = list(records)
    battery = [record for record in records if record.purpose == "resistance" and record.attack["name"] != "none"]
    trained = _attacks(record for record in battery if trains(record))
    free = _attacks(record for record in battery if not trains(record))
    tasks = sorted({record.task for record in records if record.task})
    trials = sum(record.purpose == "search" for record in records)
    defence = sorted({seed(one.hardened) for one in evidence})
    attack = sorted({record.seed for record in battery})
    told = [
        Told(name="Seeds", sentences=[f"of the defence {_list(defence)}; of the attack {_list(attack)}"]),
        Told(name=f"Attacks that train ({len(trained)})", sentences=trained),
        Told(name=f"Attacks that train nothing ({len(free)})", sentences=free),
        Told(name=f"Harmless tasks ({len(tasks)})", sentences=tasks),
        *_controls(report),
        Told(name="Failed", sentences=_failures(records)),
    ]
    if trials:
        searched = f"{trials} trials, in no row; the cheapest attack found on each model was then run on all of them"
        told.append(Told(name="Search", sentences=[searched]))
    return told


def _attacks(records: Iterable[Record]) -> list[str]:
    """Each attack once, whatever its seed; how long it trains follows, since a label leaves that out."""
    found: dict[str, None] = {}
    for record in records:
        steps = record.attack["settings"].get("training", {}).get("steps")
        found[f"{attack_label(record)}{f', {steps} steps' if steps else ''}"] = None
    return sorted(found)


def _controls(report: Report) -> list[Told]:
    """Of how many hardened models each control passed; what is said alike of several is said once."""
    told: list[Told] = []
    for name in ("positive", "negative", "collapse"):
        own = [control for verdict in report.verdicts for control in verdict.controls if control.name == name]
        counts = {status: sum(one.status == status for one in own) for status in ("passed", "failed", "not available")}
        first = ", ".join(f"{status} for {count}" for status, count in counts.items() if count)
        wanted = [one for one in own if name != "collapse" or one.status == "failed"]
        sentences = list(dict.fromkeys(one.sentence for one in wanted))
        of = f"of {len(own)} hardened models" if len(own) != 1 else "hardened model"
        told.append(Told(name=f"{name.capitalize()} control", sentences=[f"{first} {of}.", *sentences]))
    return told


def _failures(records: Sequence[Record]) -> list[str]:
    """Every run that failed; those that had no model to start from are told together."""
    unmade: dict[str, int] = {}
    others: list[str] = []
    for record in records:
        if record.failure is None:
            continue
        model = model_label(record.model) + (f", seed {seed(record)} of the defence" if record.defence else "")
        if record.failure.reason.startswith(UNMADE):
            told = f"{model}: could not be made: {record.failure.reason.removeprefix(UNMADE)}"
            unmade[told] = unmade.get(told, 0) + 1
        else:
            what = f"learning {record.task}" if record.task else attack_label(record)
            others.append(
                f"{model}: {what}{_KINDS.get(record.purpose, '')}, seed {record.seed}: {record.failure.reason}"
            )
    made = [f"{told} ({count} run{'s' if count > 1 else ''})" for told, count in unmade.items()]
    return [*made, *sorted(others)]


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"
