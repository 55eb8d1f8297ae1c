"""Algorithmic progress: how much less compute the same ability takes, year by year.

    ability = k ln(compute) + b(time)

k is found within families, whose members differ in little but compute; what is left, b, grows with time; and a year's
progress divides the compute that an ability takes by exp(db/dt / k). Source: arXiv 2512.00193, section 3.2.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from holdfast.errors import DataError
from holdfast.statistics.scale.scores import Floats
from holdfast.statistics.scale.trend import trend

_FEWEST: Final = 3
"""Members of a family (the paper's code)."""


@dataclass(frozen=True, kw_only=True)
class Efficiency:
    """Algorithmic progress."""

    k: float
    """Ability gained by e times the compute: the mean of the families', weighted by their members."""
    families: dict[str, float]
    """k of each family that has three members."""
    growth: float
    """db/dt, a year."""
    factor: float
    """By which compute for the same ability falls in a year."""
    low: float
    high: float
    """95 % interval of the factor, by that of the growth alone: as in the paper, k is taken as known."""
    n: int


def efficiency(ability: Floats, compute: Floats, years: Floats, family: Sequence[str | None]) -> Efficiency:
    """Algorithmic progress from abilities.

    Args:
        ability: [subjects], of a scale.
        compute: [subjects], training FLOPs.
        years: [subjects], when each came.
        family: which subjects were made alike; None for one by itself.

    Raises:
        DataError: no family has three members that differ in compute, or its ability falls with compute.
    """
    logs = np.log(compute)
    members = {name: np.array([one == name for one in family]) for name in dict.fromkeys(family) if name is not None}
    large = {name: rows for name, rows in members.items() if rows.sum() >= _FEWEST and np.ptp(logs[rows]) > 0}
    if not large:
        raise DataError("no family has three members that differ in compute, so that what compute does is not known.")
    slopes = {name: trend(logs[rows], ability[rows]).slope for name, rows in large.items()}
    k = float(np.average(list(slopes.values()), weights=[int(rows.sum()) for rows in large.values()]))
    if k <= 0:
        raise DataError(f"within families ability does not grow with compute (k = {k:.3f}).")
    line = trend(years, ability - k * logs)
    growth, reach = line.slope, (line.high - line.low) / 2
    return Efficiency(
        k=k,
        families=slopes,
        growth=growth,
        factor=float(np.exp(growth / k)),
        low=float(np.exp((growth - reach) / k)),
        high=float(np.exp((growth + reach) / k)),
        n=len(ability),
    )
