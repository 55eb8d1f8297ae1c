"""Whether abilities began to grow faster at some time, and how surely that would be seen if they did.

Source: arXiv 2512.00193, section 3.3. Two straight lines that meet, through the abilities of what was ahead when it
came. Of the times at which they might meet, the one that fits best is taken. So does the paper's code for real scores,
of which it asks a ratio of 1.5 and takes only those that were ahead (`trend.ahead`); for synthetic worlds it takes the
first time that passes, and fits the two lines apart before it makes them meet.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import stats
from scipy.special import expit

from holdfast.statistics.scale.fit import Anchor, Penalty, fit
from holdfast.statistics.scale.scores import Floats, Scores, scores

_CANDIDATES: Final = 50
_SLOPES: Final = (3.0, 10.0)
"""Of synthetic benchmarks (the paper's code)."""
_LEAST_R2: Final = 0.6
_LEAST_AFTER: Final = 3
"""Points after the break (this and the two above: the paper's code)."""
_SURE: Final = 0.95


@dataclass(frozen=True, kw_only=True)
class Break:
    """Where two lines meet that fit better than any other two."""

    at: float
    """Years."""
    low: float
    high: float
    """The first and the last time that fit nearly as well: the 95 % interval of profile likelihood, as if points were
    independent. A running maximum is not, so it is rather too narrow."""
    before: float
    after: float
    """Slopes, a year."""
    r2: float

    @property
    def ratio(self) -> float:
        """How many times faster it goes on; not a number where it did not grow before."""
        return self.after / self.before if self.before > 0 else float("nan")

    def accelerated(self, threshold: float = 2.0) -> bool:
        """Whether that counts as acceleration: twice as fast, and the lines explain .6 of the variance."""
        return self.r2 >= _LEAST_R2 and self.ratio >= threshold


@dataclass(frozen=True, kw_only=True)
class World:
    """Synthetic models and benchmarks; the values are those of the paper's code (`software_singularity.py`)."""

    models: int = 100
    benchmarks: int = 20
    factor: float = 1.0
    """By which growth is faster from `when` on; 1 is no acceleration."""
    begin: float = 2024.0
    when: float = 2027.0
    end: float = 2030.0
    growth: float = 3.5 / 6
    """Ability a year before that."""
    spread: float = 0.2
    """Standard deviation of abilities, and of difficulties, around their lines."""
    noise: float = 0.025
    """Standard deviation of scores."""
    measured: float = 0.25
    """Share of pairs that somebody has measured."""
    edge: float = 0.05
    """Pairs that would be nearer to 0 or 1 are not measured."""


@dataclass(frozen=True, kw_only=True)
class Power:
    """How often acceleration is seen."""

    runs: int
    seen: float
    """Share of worlds in which it is seen by looking once, at the end."""
    ever: float
    """Share in which it is seen at any look. Who looks often enough sees it where it is not."""
    delay: float | None
    """Years from its begin until it is first seen, the median where it ever is; None where it never is."""


def turn(years: Floats, ability: Floats, *, since: float = -np.inf) -> Break | None:
    """The best two lines through the abilities of what was ahead; None where there are too few points.

    Args:
        years: when each came.
        ability: of each.
        since: the lines do not meet before.
    """
    order = np.argsort(years)
    years, top = years[order], np.maximum.accumulate(ability[order])
    fits = [
        _meeting(years, top, float(at))
        for at in np.linspace(max(since, years[0]), years[-1], _CANDIDATES)
        if (years > at).sum() >= _LEAST_AFTER and (years <= at).sum() >= 2
    ]
    if not fits:
        return None
    best = max(fits, key=lambda one: one.r2)
    missed = (1 - best.r2) * np.exp(stats.chi2.ppf(_SURE, 1) / len(years))
    near = [one.at for one in fits if 1 - one.r2 <= missed]
    return replace(best, low=near[0], high=near[-1])


def _meeting(years: Floats, top: Floats, at: float) -> Break:
    lines = np.stack([np.ones_like(years), years - at, np.maximum(0, years - at)], axis=1)
    solved = np.linalg.lstsq(lines, top, rcond=None)[0]
    missed = top - lines @ solved
    r2 = 1 - float(np.sum(missed**2) / np.sum((top - top.mean()) ** 2)) if np.ptp(top) > 0 else 0.0
    return Break(at=at, low=at, high=at, before=float(solved[1]), after=float(solved[1] + solved[2]), r2=r2)


def drawn(world: World, seed: int) -> tuple[Scores, dict[str, float]]:
    """Scores of a synthetic world, and when each of its models came.

    Args:
        world: what it is like.
        seed: of everything that is drawn.
    """
    rng = np.random.default_rng(seed)
    came = np.sort(rng.uniform(world.begin, world.end, world.models))
    faster = np.maximum(0, came - world.when) * (world.factor - 1)
    ability = world.growth * (came - world.begin + faster) + rng.normal(0, world.spread, world.models)
    made = rng.uniform(world.begin, world.end, world.benchmarks)
    difficulty = 0.5 + world.growth * (made - world.begin) + rng.normal(0, world.spread, world.benchmarks)
    slope = rng.uniform(*_SLOPES, world.benchmarks)
    value = expit(slope * (ability[:, None] - difficulty))
    kept = (value >= world.edge) & (value <= 1 - world.edge) & (rng.random(value.shape) < world.measured)
    value = np.clip(value + rng.normal(0, world.noise, value.shape), 0, 1 - world.edge)
    rows = [(f"model {one}", f"benchmark {other}", float(value[one, other])) for one, other in np.argwhere(kept)]
    return scores(rows), {f"model {one}": float(when) for one, when in enumerate(came)}


def steady(given: Scores, came: Mapping[str, float], until: float) -> Anchor:
    """The benchmark with most scores by a time, to stand for the scale of a synthetic world, with the usual slope.

    Args:
        given, came: the scores, and when each model came.
        until: in years.
    """
    early = np.array([came[name] <= until for name in given.subjects])[given.subject]
    return Anchor(item=given.items[int(np.bincount(given.item[early]).argmax())], slope=sum(_SLOPES) / 2)


def power(
    world: World,
    runs: int,
    *,
    threshold: float = 2.0,
    every: float = 0.25,
    penalty: Penalty | None = None,
    told: Callable[[int], None] = lambda _: None,
) -> Power:
    """How often acceleration would be seen in such worlds; of a world without any, how often wrongly.

    Every quarter of a year after it began, the scale is fitted to the scores of models that have come by then.

    Args:
        world: what they are like.
        runs: how many.
        threshold: the ratio of slopes that counts.
        every: years between two looks.
        penalty: of the fits.
        told: is told after each world how many are done.
    """
    delays: list[float] = []
    seen = 0
    for seed in range(runs):
        given, came = drawn(world, seed)
        found = list(_looks(world, given, came, threshold, every, penalty))
        seen += bool(found) and found[-1] >= world.end
        delays += found[:1]
        told(seed + 1)
    delay = float(np.median(delays)) - world.when if delays else None
    return Power(runs=runs, seen=seen / runs, ever=len(delays) / runs, delay=delay)


def _looks(
    world: World, given: Scores, came: Mapping[str, float], threshold: float, every: float, penalty: Penalty | None
) -> Iterator[float]:
    """The times at which acceleration is seen: the first, and the end, if it is seen then."""
    when = np.array([came[name] for name in given.subjects])
    anchor, last, first = steady(given, came, world.when), None, True
    for now in np.arange(world.when + every, world.end + every / 2, every):
        if not first and now < world.end:
            continue
        known = given.kept(when[given.subject] <= now)
        last = fit(known, anchor, penalty, start=last)
        there = np.isin(np.arange(len(when)), known.subject)
        found = turn(when[there], last.ability[there], since=world.when)
        if found and found.accelerated(threshold):
            first = False
            yield float(now)
