"""A mean of what nearly all of was scored."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from holdfast.records import Score
from holdfast.statistics.intervals import mean

TOLERATED: Final = 0.05
"""Of a hundred answers five may be missing; ours."""


def mean_of_most(values: Sequence[float | None], *, tolerated: float = TOLERATED) -> Score:
    """The mean of values in [0, 1], of which a few may be None.

    With at most a share `tolerated` of them missing it is the mean of the others, with a reason that tells how many
    are, and its interval reaches from where all that is missing were 0 to where it were 1. With more there is none.
    """
    known = [value for value in values if value is not None]
    whole, share = mean(values), len(known) / max(1, len(values))
    if whole.value is not None or not known or len(values) - len(known) > tolerated * len(values):
        return whole
    part = mean(known)
    assert part.low is not None
    assert part.high is not None
    return replace(part, low=part.low * share, high=part.high * share + 1 - share, reason=whole.reason)
