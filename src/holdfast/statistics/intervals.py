"""Intervals. A mean of nothing is nothing, not zero."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from holdfast.records import Score


def proportion(hits: Sequence[bool | None], *, confidence: float = 0.95) -> Score:
    """A share with its Wilson interval (Wilson 1927; `scipy.stats.binomtest`)."""
    if unknown := _unknown(hits):
        return unknown
    from scipy import stats  # it takes seconds, and whatever names a metric imports this

    found = sum(map(bool, hits))
    interval = stats.binomtest(found, len(hits)).proportion_ci(confidence, method="wilson")
    return Score(value=found / len(hits), n=len(hits), low=float(interval.low), high=float(interval.high))


def mean(values: Sequence[float | None], *, confidence: float = 0.95, seed: int = 0) -> Score:
    """A mean of values in [0, 1] with a bootstrap interval (BCa, 1,000 resamples; Efron 1987).

    Where all values are equal no resample differs; the interval is then the one that n answers
    of 0 or 1 would give (Wilson), so that 72 perfect answers do not read as certainty.
    """
    if unknown := _unknown(values):
        return unknown
    from scipy import stats

    array = np.asarray(values, dtype=float)
    centre = float(array.mean())
    if float(np.ptp(array)) < 1e-12 or len(array) < 3:
        bounds = stats.binomtest(round(centre * len(array)), len(array)).proportion_ci(confidence, method="wilson")
        return Score(
            value=centre, n=len(array), low=min(centre, float(bounds.low)), high=max(centre, float(bounds.high))
        )
    bounds = stats.bootstrap(
        (array,), np.mean, confidence_level=confidence, n_resamples=1000, method="BCa", rng=np.random.default_rng(seed)
    ).confidence_interval
    return Score(value=centre, n=len(array), low=float(bounds.low), high=float(bounds.high))


def average(values: Sequence[float], *, confidence: float = 0.95) -> Score:
    """A mean of values on any scale, with Student's interval; none below two values (`scipy.stats.t`)."""
    if unknown := _unknown(values):
        return unknown
    from scipy import stats

    array = np.asarray(values, dtype=float)
    centre, spread = float(array.mean()), float(stats.sem(array)) if len(array) > 1 else None
    if not spread:  # one value, or all equal: their spread tells nothing
        return Score(value=centre, n=len(array))
    low, high = stats.t.interval(confidence, len(array) - 1, loc=centre, scale=spread)
    return Score(value=centre, n=len(array), low=float(low), high=float(high))


def share(values: Sequence[float]) -> Score:
    """A mean of values in [0, 1], however many: `proportion` where each is 0 or 1, else `average` within [0, 1].

    For thousands of values, where resampling takes long and gives the same.
    """
    if values and all(value in (0, 1) for value in values):
        return proportion([bool(value) for value in values])
    found = average(values)
    low, high = (None if end is None else min(1.0, max(0.0, end)) for end in (found.low, found.high))
    return replace(found, low=low, high=high)


def mean_of(parts: Mapping[str, Score]) -> Score:
    """The plain mean of independent figures, each with one weight, and the figures as its categories.

    Its interval is made of theirs by squares, below and above apart: m - sqrt(sum (v_i - low_i)^2) / k (MOVER: Zou and
    Donner 2008, Statistics in Medicine 27).

    Returns:
        No value, and a reason, where one of them has none.
    """
    gaps = [f"{name}: {score.reason}" for name, score in parts.items() if score.value is None]
    if gaps or not parts:
        return Score(value=None, reason="; ".join(gaps) or "there was nothing to score", categories=dict(parts))
    values, count = [score.value or 0.0 for score in parts.values()], len(parts)
    centre = sum(values) / count
    found = Score(value=centre, n=sum(score.n for score in parts.values()), categories=dict(parts))
    ends = [(score.low, score.high) for score in parts.values()]
    below = [value - low for value, (low, _) in zip(values, ends, strict=True) if low is not None]
    above = [high - value for value, (_, high) in zip(values, ends, strict=True) if high is not None]
    if min(len(below), len(above)) < count:
        return found
    return replace(found, low=centre - math.hypot(*below) / count, high=centre + math.hypot(*above) / count)


def _unknown(values: Sequence[float | None]) -> Score | None:
    """The score of what was not measured, whole or in part."""
    if not values:
        return Score(value=None, reason="there was nothing to score")
    missing = sum(value is None for value in values)
    if missing:
        return Score(value=None, reason=f"{missing} of {len(values)} answers could not be scored")
    return None
