"""Harm, and the cost to break, by how many configurations of his attack the adversary has tried.

The worst of 50 attacks is worse than the worst of 5: a figure of either is no figure of the other. Draw
as many at random from those that were run, and ask what the best of them reaches.

An attack that failed, or was not seen to its end, is neither robustness nor harm. It is left out, and
counted apart: taken for a try that came to nothing, a model that crashes attacks would look hard to break.

Sources: Dodge et al. 2019, "Show Your Work", arXiv 1909.03004, section 3, draw with replacement: the
expected maximum of n draws is the sum over values v of v (P(V <= v)^n - P(V < v)^n). Tang et al. 2020,
"Showing Your Work Doesn't Always Work", arXiv 2004.13705, show that this is biased downwards, and draw
without replacement, which is unbiased: C(i, n) / C(B, n) in place of (i / B)^n for the i lowest of B values.
Downwards flatters the defence here, so drawing without replacement is the default; it has nothing to say
about more tries than there were attacks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from holdfast.errors import ConfigError
from holdfast.statistics.survival import Break

_EXACT: Final = 1e-12
"""A chance that is one half on paper is so only up to rounding."""


@dataclass(frozen=True, kw_only=True)
class Best:
    """The harm of the best of some attacks drawn at random."""

    tries: int
    """How many are drawn."""
    harm: float | None
    """As is to be expected of the most harmful among them; None where it is not known."""
    n: int
    """Attacks to draw from."""
    left_out: int
    """Those that failed."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """Whether the best of some attacks drawn at random breaks a model, and for how much."""

    tries: int
    """How many are drawn."""
    broken: float | None
    """The chance that at least one of them breaks the model; None where it is not known."""
    cost: float | None
    """The median of the least cost: of the run that breaks it, not of the search. None where broken < 1/2."""
    n: int
    """Attacks to draw from."""
    left_out: int
    """Those that neither broke the model nor were seen to hold to their end."""


def expected_maximum(values: Sequence[float | None], tries: int, *, replace: bool = False) -> float | None:
    """The expected maximum of some of the values drawn at random.

    Args:
        values: one a configuration; None where it failed, which is left out.
        tries: how many are drawn, 1 or more.
        replace: draw with replacement, as Dodge et al. 2019 do; else without, as Tang et al. 2020 do.

    Returns:
        None where there are no values or, without replacement, fewer than tries.

    Raises:
        ConfigError: tries is below 1.
    """
    known = np.sort([value for value in values if value is not None])
    among = _among_the_lowest(len(known), tries, replace=replace)
    return None if among is None else float(known @ np.diff(among))


def cost_to_break(breaks: Sequence[Break], tries: int, *, replace: bool = False) -> Tried:
    """The chance that some attacks drawn at random break a model, and the median cost of the cheapest.

    One that was seen to hold to the end of its ladder never breaks it. The cost is None where, more likely
    than not, none of those drawn does.

    Args:
        breaks: one a configuration, of one model, from `survival.breaks`.
        tries: how many are drawn, 1 or more.
        replace: draw with replacement; else without, the default for the reason above.

    Raises:
        ConfigError: tries is below 1.
    """
    settled = [one for one in breaks if one.settled]
    costs = sorted(one.cost for one in settled if not one.censored)
    told: dict[str, Any] = {"tries": tries, "n": len(settled), "left_out": len(breaks) - len(settled)}
    among = _among_the_lowest(len(settled), tries, replace=replace)
    if among is None:
        return Tried(**told, broken=None, cost=None)
    # That the k-th cheapest and all cheaper ones are missed is to draw among the others alone.
    reached = (cost for k, cost in enumerate(costs, 1) if among[len(settled) - k] <= 0.5 + _EXACT)
    return Tried(**told, broken=float(1 - among[len(settled) - len(costs)]), cost=next(reached, None))


def harm_curve(values: Sequence[float | None], *, replace: bool = False) -> list[Best]:
    """The expected maximum for 1 try up to as many as there are values; those that failed are left out."""
    n = sum(value is not None for value in values)
    return [
        Best(tries=tries, harm=expected_maximum(values, tries, replace=replace), n=n, left_out=len(values) - n)
        for tries in range(1, n + 1)
    ]


def cost_curve(breaks: Sequence[Break], *, replace: bool = False) -> list[Tried]:
    """The cost to break for 1 try up to as many as there are attacks; those not settled are left out."""
    n = sum(one.settled for one in breaks)
    return [cost_to_break(breaks, tries, replace=replace) for tries in range(1, n + 1)]


def _among_the_lowest(count: int, tries: int, *, replace: bool) -> np.ndarray | None:
    """The chance that all draws fall among the i lowest of so many values, for i from 0 to count.

    Without replacement C(i, n) / C(B, n), from C(i - 1, n) / C(i, n) = (i - n) / i downwards.
    """
    if tries < 1:
        raise ConfigError(f"tries: {tries} is out of range: expected 1 or more.")
    if count == 0 or (tries > count and not replace):
        return None
    ranks = np.arange(count + 1, dtype=float)
    if replace:
        return (ranks / count) ** tries
    down = np.clip(ranks[:0:-1] - tries, 0, None) / ranks[:0:-1]
    return np.concatenate([[1.0], np.cumprod(down)])[::-1]
