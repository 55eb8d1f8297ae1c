"""What an audit has found, made of its records."""

from dataclasses import replace
from typing import Any

from holdfast.records import Record, Role
from holdfast.report import build
from holdfast.report.audit.record import Audited, Subject, Suite, audited
from holdfast.report.schema import Report
from holdfast.study.audit import Audit
from holdfast.study.store.store import Store


def judged(asked: Audit, store: Store, records: dict[str, Record], require: float | None) -> tuple[Report, Audited]:
    """The report on the records, and the record of the audit."""
    base = _subject(asked.base, "undefended", records) if asked.base else None
    notes = list(asked.notes)
    own = [record for record in records.values() if record.role == asked.role]
    if base and any(record.parent not in {None, base.weights} for record in own):
        notes.append(f"Its holdfast.json says that it was made from other weights than those of {base.name}.")
    # That the model is a defended version of the base is what whoever audits says.
    claimed = {
        key: replace(record, parent=base.weights) if base and record in own else record
        for key, record in records.items()
    }
    found = {f"records/{key}.json": record for key, record in claimed.items()}
    report = build.judged(found, alone=base is None)
    told: dict[str, Any] = {entry.key: entry.about for entry in store.entries(list(records)).values()}
    made = audited(
        report,
        found,
        {f"records/{key}.json": str(told[key]["method"]) for key in records},
        suite=Suite(name=asked.suite.name, version=asked.suite.version, tier=asked.tier),
        model=_subject(asked.model, asked.role, records),
        base=base,
        control=_subject(*asked.subjects[-1], records),
        seed=asked.seed,
        left_out=asked.left_out,
        notes=notes,
        required=require,
    )
    return report, made


def _subject(name: str, role: Role, records: dict[str, Record]) -> Subject:
    weights = (record.weights for record in records.values() if record.role == role and record.weights)
    return Subject(name=name, weights=next(weights, ""), role=role)
