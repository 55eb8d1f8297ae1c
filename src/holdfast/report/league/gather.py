"""From a study's records, and the report on them, to its league table."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from holdfast.records import Record, Role
from holdfast.report.league.about import about
from holdfast.report.league.costs import Times, Took
from holdfast.report.league.defence import called, lessons, notes, parts
from holdfast.report.league.front import front, place
from holdfast.report.league.rows import STAGES, League, Row, Section
from holdfast.report.league.sides import Battery, Side, hardened, model
from holdfast.report.schema import Report
from holdfast.report.seeds import Comparison
from holdfast.report.verdict.evidence import Evidence, gathered
from holdfast.report.verdict.labels import model_label

_FRAME: Final[tuple[tuple[Role, str], ...]] = (
    ("undefended", "{}, undefended"),
    ("oracle", "{}, an oracle"),
    ("random", "random initialisation"),
)


def league(
    report: Report,
    records: Mapping[str, Record],
    *,
    study: str,
    ladder: Sequence[int] = (),
    took: Mapping[str, Took] | None = None,
    missing: int = 0,
    absent: Sequence[str] = (),
) -> League:
    """The league table of a study: multipliers, intervals and outcomes are the report's own.

    Args:
        report: what `build.judged` made of the records.
        records: by name, those of the report.
        study: its name.
        ladder: the steps at which harm is told; none given means all at which it was measured.
        took: seconds by the name of a record; where they are not known, no training cost is told.
        missing: how many cells of the study are not done.
        absent: models of the study of which there is no record yet.
    """
    evidence = gathered(records.values())  # in the order of the report's verdicts
    times = Times(records, took or {})
    sections: dict[str, list[Comparison]] = {}
    for one in report.comparisons:
        sections.setdefault(_parent(evidence[one.hardened[0].verdict]), []).append(one)
    return League(
        study=study,
        records=len(records),
        missing=missing,
        absent=list(absent),
        threshold=float(report.terms["threshold"]),
        utility_loss=float(report.terms["utility_loss"]),
        domain=report.domain,
        data=report.data,
        floor=report.floor,
        holdfast=report.holdfast,
        about=about(report, evidence, records.values()),
        sections=[_section(report, evidence, some, times, ladder) for some in sections.values()],
    )


def _parent(one: Evidence) -> str:
    """The undefended model's weights, where anything tells them."""
    return next((record.weights for record in one.all("undefended")), one.hardened.parent or "")


def _section(
    report: Report, evidence: Sequence[Evidence], some: Sequence[Comparison], times: Times, ladder: Sequence[int]
) -> Section:
    """All that defends one undefended model."""
    members = [[evidence[each.verdict] for each in one.hardened] for one in some]
    everyone = [one for each in members for one in each]
    sides = [hardened(each) for each in members]
    undefended = model(everyone, "undefended")
    battery = Battery(undefended, sides, ladder)
    base = undefended.trained[0]
    rows = [
        replace(_row(report, one, battery, side), cost=times.cost(each, base, parts(one.defence)))
        for one, each, side in zip(some, members, sides, strict=True)
    ]
    best = front([place(row) for row in rows])
    rows = [replace(row, front=first) for row, first in zip(rows, best, strict=True)]
    frame = [
        Row(name=name.format(model_label(side.first.model)), role=role, measured=battery.measured(side))
        for role, name in _FRAME
        if (side := model(everyone, role)).first
    ]
    return Section(
        name=next((one.parent for one in some if one.parent), "an unknown model"),
        steps=battery.steps,
        flops=battery.flops,
        attacks=battery.attacks,
        rewarded=battery.rewarded,
        ability=battery.ability if any(row.measured.utility.centre is not None for row in rows) else "utility",
        frame=frame,
        rows=sorted(rows, key=_order),
    )


def _row(report: Report, one: Comparison, battery: Battery, side: Side) -> Row:
    """One defence."""
    verdicts = [report.verdicts[each.verdict] for each in one.hardened]
    return Row(
        name=called(one),
        role="defended",
        stage=max(parts(one.defence), key=STAGES.index),
        models=one.models,
        outcome=one.outcome,
        over=one.multipliers[0],
        measured=battery.measured(side),
        tasks=lessons(one.tasks),
        sound=all(control.status != "failed" for verdict in verdicts for control in verdict.controls),
        notes=notes(one),
    )


def _order(row: Row) -> tuple[int, float, float, str]:
    """By stage, then the worst multiplier, then utility, both from the best; what is not known comes last."""
    assert row.stage
    assert row.over
    cost, utility = row.over.worst, row.measured.utility.least
    return STAGES.index(row.stage), 1.0 if cost is None else -cost, -(utility or 0.0), row.name
