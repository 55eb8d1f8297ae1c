"""A drawing of the scale: every model by its durability, and every attack by its strength, over one axis."""

from typing import TYPE_CHECKING, Any, Final

from holdfast.report.drawings.axes import LOOKS
from holdfast.report.drawings.drawing import GRID, INK, MUTED, Drawing, drawn
from holdfast.report.scale.found import Durability
from holdfast.report.text import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE: Final = 0.2
"""Inches."""
_NAME: Final = 46
_LOOK: Final = (INK, "v")
"""Colour and marker of attacks."""
_MARGIN: Final = 0.06

Row = tuple[str, float | None, float | None, float | None, str, str]
"""Name, place, low, high, colour, marker."""


def drawing(found: Durability, *, prefix: str = "") -> Drawing:
    """Models above, attacks below, on one axis; a bound without a place is an arrow.

    Args:
        found: the scale.
        prefix: put before every id in the SVG.
    """
    models: list[Row] = [
        (one.model, one.durability, one.low, one.high, LOOKS[one.role].colour, LOOKS[one.role].marker)
        for one in found.models
    ]
    attacks: list[Row] = [(one.attack, one.strength, one.low, one.high, *_LOOK) for one in found.attacks]
    height = 0.9 + _LINE * (len(models) + len(attacks) + 2)

    def draw(figure: Any) -> None:
        axes: Axes = figure.subplots()
        figure.subplots_adjust(left=0.42, right=0.97, bottom=0.5 / height, top=1 - 0.1 / height)
        rows = [("models, by durability", None), *((row[0], row) for row in models)]
        rows += [("attacks, by strength", None), *((row[0], row) for row in attacks)]
        told = [value for _, row in rows if row for value in row[1:4] if value is not None]
        left, right = min([*told, 0.0]), max([*told, 0.0])
        margin = _MARGIN * (right - left or 1)
        axes.set_xlim(left - 2 * margin, right + 2 * margin)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks(range(len(rows)), [shown(name, _NAME) for name, _ in rows], fontsize=8.2)
        for label, (_, row) in zip(axes.get_yticklabels(), rows, strict=True):
            label.set_color(INK if row else MUTED)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=GRID, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.axvline(0, color=MUTED, linewidth=0.9, linestyle=(0, (1, 1.5)))
        axes.set_xlabel("durability and strength, in units of the anchored attack's slope")
        for at, (_, row) in enumerate(rows):
            if row:
                _point(axes, at, row, margin)

    told = [f"{shown(one[0], 40)}: {_said(one)}." for one in (*models, *attacks)]
    return drawn(
        "scale", draw, size=(8.4, height), prefix=prefix,
        title="Defences and attacks on one scale",
        caption="An attack succeeds by half where its strength equals a model's durability. Lines: 95 % intervals. An "
        "arrow: only a bound is known.",
        alt=" ".join(["Durability of every model and strength of every attack.", *told]),
    )  # fmt: skip


def _point(axes: "Axes", at: int, row: Row, reach: float) -> None:
    _, value, low, high, colour, marker = row
    if value is not None:
        if low is not None and high is not None:
            axes.plot([low, high], [at, at], color=colour, linewidth=1.4, solid_capstyle="butt")
        axes.plot(value, at, marker=marker, color=colour, markersize=5.5, linestyle="none")
        return
    edge, turn = (low, reach) if low is not None else (high, -reach)
    if edge is None:
        return
    arrow: Any = {"arrowstyle": "->", "color": colour, "linewidth": 1.2}
    axes.plot(edge, at, marker="|", color=colour, markersize=7, linestyle="none")
    axes.annotate("", (edge + turn, at), (edge, at), arrowprops=arrow)


def _said(row: Row) -> str:
    _, value, low, high, *_ = row
    if value is not None:
        return f"{value:.2f}"
    return f"at least {low:.2f}" if low is not None else "no place" if high is None else f"at most {high:.2f}"
