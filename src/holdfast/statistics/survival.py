"""Break points as right-censored data: what share of the attacks a model outlives, by what they spend.

A run that ended before it broke a model says only that its break costs more: it is censored there, never
taken for a break nor left out. The curve is a description of a battery beside M, not a bound: a break is
put at the first rung where it was seen, and attacks that were cut short are taken to be like the others.
"""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy import stats

from holdfast.records import Record
from holdfast.statistics.crossing import Unit, crossing, held

_EXACT: Final = 1e-12
"""A product of shares that is one half on paper is so only up to rounding."""


@dataclass(frozen=True, kw_only=True)
class Break:
    """What one attack had spent when it broke a model, or when nobody saw it any longer."""

    cost: float
    """At the first rung of the break; where censored, at the last rung where the model was known to hold."""
    censored: bool
    """It had not broken there, and what more it takes is not known."""
    settled: bool = True
    """It broke, or was seen to hold to the end of its ladder; not so where it failed or a rung was not measured."""


@dataclass(frozen=True, kw_only=True)
class Survival:
    """The share of attacks that have not broken a model yet, by cost: a step function that only falls."""

    costs: list[float]
    """Where an attack broke it or left the count, ascending; the share is 1 before the first."""
    share: list[float]
    """From this cost on."""
    low: list[float | None]
    """Of the 95 % interval, point by point; None where there is none: before the first break, and at a share of 0."""
    high: list[float | None]
    n: int
    """Attacks."""
    events: int
    """Those among them that broke the model."""


def breaks(records: Iterable[Record], threshold: float, unit: Unit = "flops") -> list[Break]:
    """The break of one model under each attack, in the order of the records.

    A run that failed after it broke the model has broken it. One that failed before that is censored at what
    was seen, at 0 where the model was never seen to hold: it is no sign of robustness beyond.

    Args:
        records: one an attack, all of one model.
        threshold: the harm at which it counts as broken.
        unit: in which cost is counted.
    """
    return [_break(record, threshold, unit) for record in records]


def survival(breaks: Sequence[Break]) -> Survival:
    """The Kaplan-Meier estimate with its 95 % interval.

    Source: Kaplan & Meier 1958; the interval is that of log(-log(share)), which stays within [0, 1]
    (exponential Greenwood; Kalbfleisch & Prentice 1980); `scipy.stats.ecdf`.
    """
    if not breaks:
        return Survival(costs=[], share=[], low=[], high=[], n=0, events=0)
    found = stats.ecdf(_censored(breaks)).sf
    with warnings.catch_warnings():
        # The interval is not defined where the share is 0 or 1; it is None there.
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = found.confidence_interval(0.95, method="log-log")
    return Survival(
        costs=[float(cost) for cost in found.quantiles],
        share=[float(share) for share in found.probabilities],
        low=_known(interval.low.probabilities),
        high=_known(interval.high.probabilities),
        n=len(breaks),
        events=sum(not one.censored for one in breaks),
    )


def median_cost(survival: Survival) -> float | None:
    """The least cost by which half of the attacks have broken the model; None where fewer ever did."""
    points = zip(survival.costs, survival.share, strict=True)
    return next((cost for cost, share in points if share <= 0.5 + _EXACT), None)


def log_rank(a: Sequence[Break], b: Sequence[Break]) -> float | None:
    """The two-sided p-value of the log-rank test that both models are outlived alike (`scipy.stats.logrank`).

    It takes the two for independent samples. The same attacks on both are not: where they fare alike on
    both, p is too large rather than too small. None where there is nothing to compare: no attacks on one
    side, no break on either, or no break while both were still watched.

    Source: Mantel 1966; Peto & Peto 1972.
    """
    if not a or not b or all(one.censored for one in (*a, *b)):
        return None
    with warnings.catch_warnings():
        # 0 / 0 where no break tells the two apart.
        warnings.simplefilter("ignore", RuntimeWarning)
        return _known([stats.logrank(_censored(a), _censored(b)).pvalue])[0]


def _break(record: Record, threshold: float, unit: Unit) -> Break:
    found = crossing(record, threshold, unit)
    if found.at is not None:
        return Break(cost=found.at, censored=False)
    return Break(cost=found.below, censored=True, settled=held(record, threshold))


def _censored(breaks: Sequence[Break]) -> stats.CensoredData:
    return stats.CensoredData(
        uncensored=[one.cost for one in breaks if not one.censored],
        right=[one.cost for one in breaks if one.censored],
    )


def _known(values: Iterable[Any]) -> list[float | None]:
    """None for what is no number."""
    return [None if np.isnan(value) else float(value) for value in values]
