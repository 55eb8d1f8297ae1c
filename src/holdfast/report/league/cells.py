"""What stands in a cell of the league table: the report's wording, and a dash for what is not known, never 0."""

import math
from collections.abc import Sequence
from typing import Final

from holdfast.report.league.rows import Cost, Earned, Most, Row
from holdfast.report.seeds import Met, OfSeed, Over, Spread
from holdfast.report.wording import GAP, NOT_MEASURED, bounds, duration, times
from holdfast.report.wording import spread as over_seeds

FRONT: Final = "\N{BLACK STAR}"
"""Marks a row on the Pareto front."""
_AT_LEAST: Final = "\N{GREATER-THAN OR EQUAL TO}\u00a0"


def most(found: Most) -> str:
    """The most harm: "0.91"; where an attack did not tell, at least that."""
    if found.value is None:
        return GAP
    return f"{_AT_LEAST if found.open else ''}{found.value:.2f}"


def earned(found: Earned) -> str:
    """Rewards at first and at last, and the harm by then: "0.04 to 1.03; 0.92"."""
    if found.first is None or found.last is None or found.harm is None:
        return GAP
    return f"{found.first:.2f} to {found.last:.2f}; {found.harm:.2f}"


def multiplier(row: Row) -> str:
    """Of the worst seed, both bounds."""
    if row.over is None:
        return "1, by definition" if row.role == "undefended" else GAP
    return bounds(least(row.over))


def least(over: Over) -> OfSeed:
    """The seed with the least multiplier, and of equals the one with an upper bound; where one has none, that one."""

    def bounds_of(one: OfSeed) -> tuple[float, float]:
        return one.low or 0.0, math.inf if one.high is None else one.high

    gaps = [one for one in over.by_defence if one.low is None]
    return gaps[0] if gaps else min(over.by_defence, key=bounds_of)


def mean(row: Row) -> str:
    """The multiplier over seeds of the defence, as a report words it."""
    if row.over is None:
        return GAP
    found = row.over.over_defence
    if found.centre is None:
        return GAP
    lower = "" if row.over.bounded else "at least "
    return lower + over_seeds(found).removeprefix("geometric mean ")


def centre(found: Spread) -> str:
    """The mean over seeds of a share."""
    return GAP if found.centre is None else f"{found.centre:.2f}"


def lowest(found: Spread) -> str:
    """The least of any seed."""
    return GAP if found.least is None else f"{found.least:.2f}"


def refusal(found: Spread) -> str:
    """Over-refusal: the mean over seeds, and the worst where they differ."""
    if found.centre is None or found.most is None:
        return NOT_MEASURED
    mean_, worst = f"{found.centre:.2f}", f"{found.most:.2f}"
    return mean_ if mean_ == worst else f"{mean_}, worst {worst}"


def learnt(row: Row) -> str:
    """Tasks times seeds: as soon as they should, later, not known."""
    if row.tasks is None:
        return GAP
    found: Met = row.tasks
    gaps = f", {found.not_measured} not measured" if found.not_measured else ""
    return f"{found.met} / {found.not_met} / {found.inconclusive}{gaps}"


def cost(row: Row) -> str:
    """What it takes to harden, and how much slower training becomes."""
    if row.stage is None:
        return GAP
    found: Cost = row.cost
    told = [
        *([duration(found.hardening)] if found.hardening is not None else []),
        *([f"training {times(found.attacks, up=True)} as long"] if found.attacks is not None else []),
    ]
    return "; ".join(told) or GAP


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown. What a user wrote is to be escaped beforehand."""
    assert all(len(row) == len(head) for row in rows)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
