"""A drawing of how the defences rank: by how much each multiplies the attacker's cost, between its two bounds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from holdfast.report.drawings.axes import LOOKS
from holdfast.report.drawings.drawing import GRID, INK, MUTED, Drawing, drawn
from holdfast.report.figure import Outcome
from holdfast.report.text import shown
from holdfast.report.wording import at_least, times

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST: Final = 30
"""So many rows can be read; the table has all of them."""
_LINE: Final = 0.22
"""Inches."""
_NAME: Final = 40


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """One hardened model."""

    name: str
    outcome: Outcome
    low: float | None
    """It multiplies the cost by this at least; None where that was not measured."""
    high: float | None
    """And by this at most; None where there is no such bound."""


def ranking(given: Sequence[Ranked], *, prefix: str = "") -> Drawing | None:
    """Models from the one that holds longest by its lower bound; an arrow has no upper one. None without a figure.

    Args:
        given: in any order.
        prefix: put before every id in the SVG.
    """
    rows = sorted((one for one in given if one.low is not None), key=lambda one: (-(one.low or 0), -_top(one)))[:MOST]
    if not rows:
        return None
    height = 0.75 + _LINE * len(rows)
    ends = [value for one in rows for value in (one.low, one.high) if value]
    left, right = min([*ends, 1.0]) / 1.3, max([*ends, 1.0]) * 1.6

    def draw(figure: Any) -> None:
        axes: Axes = figure.subplots()
        figure.subplots_adjust(left=0.42, right=0.97, bottom=0.5 / height, top=1 - 0.08 / height)
        axes.set_xscale("log")
        axes.set_xlim(left, right)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks(range(len(rows)), [f"{shown(one.name, _NAME)}, {one.outcome}" for one in rows], fontsize=8.2)
        ticks = _ticks(left, right)
        axes.set_xticks(ticks, [f"{tick:g}x" for tick in ticks])
        axes.minorticks_off()
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=GRID, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.axvline(1, color=MUTED, linewidth=0.9, linestyle=(0, (1, 1.5)))
        axes.set_xlabel("what the attacker must spend, times that without the defence")
        for at, one in enumerate(rows):
            _bar(axes, at, max(one.low or 0, left), one.high, right, one.outcome)

    told = [f"{shown(one.name, _NAME)}, {one.outcome}: {_said(one)}." for one in rows]
    left_out = len(given) - len(rows)
    return drawn(
        "ranking", draw, size=(8.4, height), prefix=prefix,
        title="By how much the attacker's cost is multiplied",
        caption="A bar spans the lower and the upper bound, in training compute; an arrow has no upper bound. Hollow: "
        "the model was broken or ruined all the same."
        + (f" {left_out} more are in the table alone." if left_out else ""),
        alt=" ".join(["Multiplier of the attacker's cost, the surest first.", *told]),
    )  # fmt: skip


def _top(one: Ranked) -> float:
    return math.inf if one.high is None else one.high


def _ticks(left: float, right: float) -> list[float]:
    """Round numbers between the ends, seven at most."""
    decades = range(math.floor(math.log10(left)), math.ceil(math.log10(right)) + 1)
    finer = (1, 2, 5) if right / left < 100 else (1,)
    found = [m * 10.0**k for k in decades for m in finer if left <= m * 10.0**k <= right]
    return found[:: math.ceil(len(found) / 7)]


def _bar(axes: "Axes", at: int, low: float, high: float | None, right: float, outcome: Outcome) -> None:
    colour = LOOKS["defended"].colour
    end = right / 1.12 if high is None else max(high, low * 1.02)
    fill: Any = colour if outcome == "holds" else "white"
    axes.barh(at, end - low, left=low, height=0.5, color=fill, edgecolor=colour, linewidth=1.2)
    if high is None:
        axes.plot(end, at, marker=">", color=colour, markersize=8)
    axes.plot(low, at, marker="|", color=INK, markersize=9)


def _said(one: Ranked) -> str:
    most = "no upper bound" if one.high is None else f"at most {times(one.high, up=True)}"
    return f"{at_least(one.low)}, {most}"
