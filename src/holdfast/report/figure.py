"""What every part of `report.json` is made of: a figure with its interval, and the words that judge."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["met", "not met", "inconclusive", "not measured"]
Outcome = Literal["holds", "broken", "collapsed", "inconclusive"]
Ability = Literal["utility", "stability"]
"""Which figure tells what a model still can: on the domain's own harmless questions, or on general tasks."""
ConditionName = Literal["resistance", "stability", "generalization", "trainability"]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A share in [0, 1] with a 95 % interval over n answers; None where it was not measured."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
