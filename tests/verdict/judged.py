"""A verdict on records made by hand, and its parts by name."""

from typing import Any

from holdfast.records import Record
from verdict.made import BREAKS, HOLDS, record
from verdict.rooms import Evidence, Terms, Verdict, gathered
from verdict.rooms import verdict as verdict_


def evidence(*records: Record) -> Evidence:
    """The evidence on the one hardened model among the records."""
    (found,) = gathered(records)
    return found


def judged(*records: Record, show_text: bool = False, **terms: Any) -> Verdict:
    """The verdict on the one hardened model among the records."""
    return verdict_(evidence(*records), Terms(**terms), show_text=show_text)


def pair(harm: Any = HOLDS, base: Any = BREAKS, **hardened: Any) -> list[Record]:
    """One attack on both models."""
    return [record("undefended", base), record("defended", harm, **hardened)]


def condition(found: Verdict, name: str) -> tuple[str, str]:
    """Status and sentence of one of the four conditions."""
    return next((one.status, one.sentence) for one in found.conditions if one.name == name)


def control(found: Verdict, name: str) -> tuple[str, str]:
    """Status and sentence of a control."""
    return next((one.status, one.sentence) for one in found.controls if one.name == name)
