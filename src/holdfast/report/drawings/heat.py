"""A heat map of how far each attack succeeded on each model. What nobody ran is a gap, not a zero."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from holdfast.report.drawings.drawing import INK, MUTED, Drawing, drawn
from holdfast.report.scale.cells import Cell, means
from holdfast.report.text import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CELL: Final = (0.34, 0.26)
"""Inches of a cell."""
_NAME: Final = 44
_DARK: Final = 0.55
"""A success from which its figure is written in white."""


def heat(cells: Sequence[Cell], models: Sequence[str], attacks: Sequence[str], *, prefix: str = "") -> Drawing:
    """Models from above, attacks from the left, each in the order given; several cells of a place are averaged.

    Args:
        cells: at most one mean a place is drawn.
        models, attacks: which, and in what order.
        prefix: put before every id in the SVG.
    """
    values = np.array(means(cells, models, attacks), dtype=np.float64)
    height = 2.9 + _CELL[1] * len(models)

    def draw(figure: Any) -> None:
        axes: Axes = figure.subplots()
        width = figure.get_figwidth()
        figure.subplots_adjust(left=2.9 / width, right=1 - 0.1 / width, bottom=2.6 / height, top=1 - 0.1 / height)
        axes.set_facecolor("#ffffff")
        edges = [np.arange(count + 1) - 0.5 for count in values.shape]
        axes.pcolormesh(edges[1], edges[0], np.ma.masked_invalid(values), cmap="Oranges", vmin=0, vmax=1)
        axes.invert_yaxis()
        for row, column in np.ndindex(values.shape):
            if np.isnan(values[row, column]):
                axes.plot(column, row, marker="x", color=MUTED, markersize=3.5, linestyle="none")
            else:
                value = float(values[row, column])
                colour = "#ffffff" if value >= _DARK else INK
                axes.text(column, row, f"{value:.2f}".lstrip("0"), ha="center", va="center", fontsize=6.8, color=colour)
        axes.set_yticks(range(len(models)), [shown(name, _NAME) for name in models], fontsize=7.8)
        axes.set_xticks(range(len(attacks)), [shown(name, _NAME) for name in attacks], fontsize=7.2, rotation=90)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)

    gaps = int(np.isnan(values).sum())
    return drawn(
        "cells", draw, size=(3.1 + max(3.0, _CELL[0] * len(attacks)), height), prefix=prefix,
        title="Success of every attack on every model",
        caption="From 0, what guessing gives, to 1, everything; means over seeds. A cross: nobody ran it.",
        alt=f"Success of {len(attacks)} attacks on {len(models)} models; {gaps} of {values.size} places are gaps.",
    )  # fmt: skip
