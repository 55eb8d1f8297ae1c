"""How sure a scale is: fitted again and again to its scores, each time with other weights.

The Bayesian bootstrap (Rubin 1981): every row weighs an exponential draw of mean 1. Unlike drawing rows with
replacement, no row is ever left out whole, so that what few rows join stays joined, and the anchor is always there.
"""

import os
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final

import numpy as np
from numpy.typing import NDArray

from holdfast.statistics.scale.fit import Scale, fit
from holdfast.statistics.scale.scores import Floats

_COVERED: Final = 0.95
_NEAR: Final = 1e-6
"""The tolerance of each fit: a third quicker than scipy's own on the paper's scores, where abilities move by at most
.015 of their standard deviation over fits."""
_FEWEST: Final = 3
"""Rows of a subject or an item below which its interval would say nothing: so few can nearly always be met exactly."""
_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True, kw_only=True)
class Intervals:
    """95 % of what the fits say; not a number where there are too few rows to tell."""

    ability: Floats
    """[2, subjects]: low and high."""
    difficulty: Floats
    """[2, items]"""
    slope: Floats
    """[2, items]"""
    fits: int


def resampled(
    scale: Scale, times: int = 100, *, workers: int = 1, seed: int = 0, told: Callable[[int], None] = lambda _: None
) -> Intervals:
    """Intervals of everything on a scale.

    Args:
        scale: fitted to all rows alike.
        times: how often it is fitted again.
        workers: processes at work, of one thread each.
        seed: of the weights; the same seed gives the same intervals, however many are at work.
        told: is told after each fit how many there are.
    """
    draws = np.random.default_rng(seed).exponential(size=(times, len(scale.scores)))
    found: list[Scale] = []
    for one in _fits(scale, draws, min(workers, times)):
        found.append(one)
        told(len(found))
    counted = scale.scores
    subjects = np.bincount(counted.subject, minlength=len(counted.subjects))
    items = np.bincount(counted.item, minlength=len(counted.items))
    return Intervals(
        ability=_interval([one.ability for one in found], subjects),
        difficulty=_interval([one.difficulty for one in found], items),
        slope=_interval([one.slope for one in found], items),
        fits=times,
    )


def _fits(scale: Scale, draws: Floats, workers: int) -> Iterator[Scale]:
    if workers == 1:
        yield from (_again(scale, weights) for weights in draws)
        return
    with _one_thread(), ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_again, [scale] * len(draws), draws)


def _again(scale: Scale, weights: Floats) -> Scale:
    return fit(scale.scores, scale.anchor, scale.penalty, weights=weights, start=scale, tolerance=_NEAR)


@contextmanager
def _one_thread() -> Generator[None]:
    """Processes that are started meanwhile compute with one thread each."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(_ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def _interval(found: list[Floats], rows: NDArray[np.intp]) -> Floats:
    beyond = (1 - _COVERED) / 2
    ends = np.quantile(np.array(found), [beyond, 1 - beyond], axis=0)
    return np.where(rows >= _FEWEST, ends, np.nan)
