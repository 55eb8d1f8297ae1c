"""A drawing of what a defence gains and what it loses: the multiplier and the utility of each, and the Pareto front."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from holdfast.report.drawings.axes import LOOKS, Scale
from holdfast.report.drawings.drawing import GRID, INK, MUTED, Drawing, drawn
from holdfast.report.league.front import UNDEFENDED, Point, place
from holdfast.report.league.rows import STAGES, Row, Stage
from holdfast.report.text import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKERS: Final[dict[Stage, str]] = {"before": "o", "during": "^", "after": "D"}
_NAME: Final = 42
"""Characters of a name in the list at the right."""
_LINE: Final = 0.165
"""Inches."""
_SPAN: Final = (0.5, 10.0)
"""Multipliers that always have a place, so that a small gain does not look like a large one."""
_NEAR: Final = (0.025, 0.05)
"""Points nearer than these shares of either axis have one label."""


def front(rows: Sequence[Row], utility_loss: float, *, prefix: str = "") -> Drawing | None:
    """Every defence that has both figures, numbered as in the table. None where none has.

    Args:
        rows: in the table's order.
        utility_loss: the most that may be lost of utility, relative to the undefended model.
        prefix: put before every id in the SVG.
    """
    points = {number: point for number, row in enumerate(rows, start=1) if (point := place(row))}
    if not points:
        return None
    height = max(3.6, 0.6 + _LINE * (len(rows) + len(STAGES)))
    scale = Scale.of([*_SPAN, *(cost for cost, _ in points.values())])

    def draw(figure: Any) -> None:
        axes: Axes = figure.subplots()
        figure.subplots_adjust(left=0.075, right=0.6, bottom=0.5 / height, top=1 - 0.12 / height)
        scale.apply(axes, "multiplier M of the worst seed, at least")
        left, right = axes.get_xlim()
        axes.set_xlim(left, right * (right / left) ** 0.05)
        _utility(axes, [utility for _, utility in points.values()], 1 - utility_loss)
        _line(axes, scale, [points[at] for at in points if rows[at - 1].front])
        base = LOOKS["undefended"]
        axes.plot(*UNDEFENDED, marker=base.marker, color=base.colour, markersize=6, linestyle="none", zorder=4)
        axes.annotate("undefended", UNDEFENDED, (6, 6), textcoords="offset points", fontsize=8, color=base.colour)
        for number, point in points.items():
            _point(axes, rows[number - 1], scale.place(point[0]), point[1])
        _numbers(axes, scale, points)
        _names(axes, rows, points, height)

    told = [
        f"{shown(rows[at - 1].name, 40)}: at least {cost:.3g}, {utility:.2f}." for at, (cost, utility) in points.items()
    ]
    return drawn(
        "front", draw, size=(8.4, height), prefix=prefix,
        title="Multiplier and utility",
        caption="Each by its number in the table. Dotted: the utility asked for. "
        "Hollow, with an arrow: nothing broke it, so M may be more.",
        alt=" ".join(["Multiplier and relative utility of the worst seed.", *told]),
    )  # fmt: skip


def open_above(row: Row) -> bool:
    """Whether the worst seed's multiplier has no upper bound."""
    if row.over is None or row.over.worst is None:
        return False
    return all(one.high is None for one in row.over.by_defence if one.low == row.over.worst)


def _utility(axes: "Axes", found: Sequence[float], least: float) -> None:
    low, high = min([*found, least]), max([*found, 1.0])
    margin = 0.09 * (high - low)
    axes.set_ylim(low - margin, high + margin)
    axes.set_ylabel("utility of the worst seed, of the undefended 1")
    axes.grid(color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.axhline(least, color=MUTED, linewidth=0.9, linestyle=(0, (1, 1.5)), zorder=1)


def _line(axes: "Axes", scale: Scale, best: Sequence[Point]) -> None:
    """The front as steps: up to each multiplier so much utility can be had, at 1 by doing nothing."""
    if not best:
        return
    nothing = [] if any(cost >= UNDEFENDED[0] and utility >= UNDEFENDED[1] for cost, utility in best) else [UNDEFENDED]
    ordered = sorted([*best, *nothing])
    x = [axes.get_xlim()[0], *(scale.place(cost) for cost, _ in ordered)]
    y = [ordered[0][1], *(utility for _, utility in ordered)]
    axes.plot(x, y, drawstyle="steps-pre", color=INK, linewidth=0.9, zorder=2)


def _point(axes: "Axes", row: Row, x: float, y: float) -> None:
    assert row.stage
    colour, hollow = LOOKS["defended"].colour if row.front else MUTED, open_above(row)
    axes.plot(
        x, y, marker=_MARKERS[row.stage], color=colour, markersize=6.5, markeredgewidth=1.3, linestyle="none", zorder=5,
        markerfacecolor="white" if hollow else colour,
    )  # fmt: skip
    if hollow:
        arrow: Any = {"arrowstyle": "->", "color": colour, "linewidth": 1.1, "shrinkA": 4, "shrinkB": 0}
        axes.annotate("", (x, y), (20, 0), textcoords="offset points", zorder=3,
                      arrowprops={**arrow, "arrowstyle": "<-"})  # fmt: skip


def _numbers(axes: "Axes", scale: Scale, points: dict[int, Point]) -> None:
    """The numbers beside the points; of several in one place, one label."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    groups: list[tuple[float, float, list[int]]] = []
    for number, (cost, utility) in points.items():
        x, y = math.log(scale.place(cost) / left) / math.log(right / left), (utility - low) / (high - low)
        near = next((one for one in groups if abs(one[0] - x) < _NEAR[0] and abs(one[1] - y) < _NEAR[1]), None)
        if near:
            near[2].append(number)
        else:
            groups.append((x, y, [number]))
    for x, y, numbers in groups:
        axes.annotate(", ".join(map(str, numbers)), (x, y), xycoords="axes fraction", xytext=(6, 4),
                      textcoords="offset points", fontsize=8, color=INK, zorder=6)  # fmt: skip


def _names(axes: "Axes", rows: Sequence[Row], points: dict[int, Point], height: float) -> None:
    """The list at the right: number and name, by stage; the front is bold, and what has no place says so."""
    inches = height - 0.62
    line = 0
    for stage in STAGES:
        own = [(number, row) for number, row in enumerate(rows, start=1) if row.stage == stage]
        texts = [(f"{stage}", MUTED, False)] if own else []
        for number, row in own:
            why = "no M or utility" if row.sound else "a control failed"
            gone = "" if number in points else f" ({why})"
            colour = LOOKS["defended"].colour if row.front else INK if number in points else MUTED
            texts.append((f"{number}  {shown(row.name, _NAME)}{gone}", colour, row.front))
        for text, colour, bold in texts:
            marker = _MARKERS[stage] if text == stage else ""
            y = 1 - line * _LINE / inches
            if marker:
                axes.plot(1.035, y, marker=marker, color=MUTED, markersize=5, transform=axes.transAxes, clip_on=False)
            axes.annotate(text, (1.06 if marker else 1.03, y), xycoords="axes fraction", va="center", fontsize=8.2,
                          color=colour, fontweight="bold" if bold else "normal", annotation_clip=False)  # fmt: skip
            line += 1
