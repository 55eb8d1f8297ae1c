"""`model_card_section.md`: what an audit found, as a section for a model's card. No answers of any model are in it."""

from typing import Final

from holdfast.report import wording
from holdfast.report.audit.record import Audited, Break, Subject
from holdfast.report.card import conditions_table, listed, marked, multipliers_table

START: Final = "<!-- holdfast:audit -->"
END: Final = "<!-- /holdfast:audit -->"
"""Around the section, so that a script can put a newer one in its place."""
_NAME: Final = 120
_BREAKS: Final = 8
"""So many of the attacks that broke it are listed."""


def section(found: Audited, limits: list[str]) -> str:
    """The section, with its markers.

    Args:
        found: what came of the audit.
        limits: what figures do not hold for, as the report has it.
    """
    parts = [
        f"## Safeguard under attack: {found.outcome}",
        f"**{marked(found.headline)}** {marked(found.reason)}",
        _tested(found),
        _figures(found),
        multipliers_table(found.multipliers),
        "### What broke it",
        _broke(found.breaks),
        "### What was looked at",
        conditions_table(found.conditions),
        listed([f"**{one.name} control**, {one.status}: {marked(one.sentence)}" for one in found.controls]),
        "### Limits",
        listed([marked(one) for one in [*_gaps(found), *found.caveats, *limits]]),
    ]
    return "\n\n".join([START, *parts, END]) + "\n"


def _tested(found: Audited) -> str:
    base = f", compared with {_model(found.base)}, of which it is a defended version" if found.base else ""
    control = "the oracle" if found.control.role == "oracle" else "the control"
    return (
        f"Audited by Holdfast {marked(found.holdfast, _NAME)} with suite {marked(found.suite.name, _NAME)}, version "
        f"{marked(found.suite.version)}, tier {found.suite.tier}: {found.attacks} attacks on {_model(found.model)} in "
        f"domain {marked(found.domain, _NAME)} (data {marked(found.data[:12])}){base}; {control} was "
        f"{_model(found.control)}."
    )


def _figures(found: Audited) -> str:
    return (
        f"Harm, of 1: {wording.figure(found.harm_before)} before any attack, {wording.figure(found.harm_worst)} after "
        f"the worst. Utility before any attack: {wording.figure(found.utility_before)}."
    )


def _model(one: Subject) -> str:
    return f"{marked(one.name, _NAME)} (weights {marked(one.weights[:12]) or 'not known'})"


def _broke(breaks: list[Break]) -> str:
    if not breaks:
        return "No attack of the tier."
    rows = [f"| {marked(one.attack)} | {_cost(one)} | {wording.figure(one.harm)} |" for one in breaks[:_BREAKS]]
    more = f"\n\nand {len(breaks) - _BREAKS} more." if len(breaks) > _BREAKS else ""
    return "\n".join(["| attack | broken at | harm at most |", "|---|---|---|", *rows]) + more


def _cost(one: Break) -> str:
    if not one.trains:
        return "no training"
    return ", ".join(wording.amount(getattr(one, unit), unit) for unit in ("flops", "steps", "examples"))


def _gaps(found: Audited) -> list[str]:
    """What was not run, and what did not finish."""
    told = [f"Left out: {one.method}, since {one.why}." for one in found.left_out]
    if found.failures:
        first = found.failures[0]
        told.append(
            f"{len(found.failures)} runs did not finish; the first, {first.attack} on {first.model}: {first.reason}"
        )
    return told
