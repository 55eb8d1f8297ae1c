"""What the drawings share: the roles' looks, an axis of budgets with room for zero, and labels beside the lines."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.records import Role
from holdfast.report.drawings.drawing import GRID, MUTED
from holdfast.report.wording import prefixed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEFT: Final = 0.12
RIGHT: Final = 0.79
"""Where the axes of a drawing over budgets begin and end, as shares of its width; labels stand to the right."""


@dataclass(frozen=True)
class Look:
    """How a role is drawn: by colour, dashes and marker, so that any one of the three suffices."""

    colour: str
    dashes: str
    marker: str
    hatch: str


LOOKS: Final[dict[Role, Look]] = {
    "undefended": Look("#d55e00", "--", "s", "////"),
    "defended": Look("#0072b2", "-", "o", "\\\\\\\\"),
    "oracle": Look("#00795a", "-.", "^", "...."),
    "random": Look("#8a5a83", ":", "D", "xxxx"),
}


@dataclass(frozen=True)
class Scale:
    """A logarithmic axis of budgets with a place for zero at its left, beyond a break."""

    low: float
    high: float

    @classmethod
    def of(cls, costs: Iterable[float]) -> "Scale":
        """The scale on which all of these can be shown."""
        positive = [cost for cost in costs if cost > 0]
        return cls(min(positive, default=1.0), max(positive, default=1.0))

    @property
    def zero(self) -> float:
        """Where a budget of nothing stands."""
        return self.low / max(2.2, (self.high / self.low) ** 0.16)

    def place(self, cost: float) -> float:
        """Where a budget stands on the axis."""
        return cost if cost > 0 else self.zero

    def ticks(self) -> list[float]:
        """Four or so round budgets between the ends."""
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        span = self.high / self.low
        finer = (1, 2, 5) if span < 40 else (1, 3) if span < 2000 else (1,)
        found = [m * 10.0**k for k in decades for m in finer if self.low <= m * 10.0**k <= self.high]
        return found[:: max(1, math.ceil(len(found) / 6))]

    def apply(self, axes: "Axes", label: str | None = None) -> None:
        """Make the x axis of `axes` this scale; without a label its ticks bear no numbers."""
        from matplotlib.ticker import FixedLocator, NullLocator

        axes.set_xscale("log")
        axes.set_xlim(self.zero / 1.12, self.high * (self.high / self.zero) ** 0.03)
        ticks = self.ticks()
        axes.xaxis.set_major_locator(FixedLocator([self.zero, *ticks]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticklabels(["0", *(prefixed(tick, 2) for tick in ticks)] if label else [])
        if label:
            axes.set_xlabel(label)
            # The break: between nothing and the first budget there is no scale.
            axes.text(
                math.sqrt(self.zero * self.low), 0, "//", transform=axes.get_xaxis_transform(), color=MUTED, fontsize=9,
                ha="center", va="center", bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            )  # fmt: skip


@dataclass(frozen=True)
class Label:
    """A text beside the right end of a line."""

    y: float
    text: str
    colour: str
    bold: bool = False


def beside(axes: "Axes", labels: Iterable[Label], gap: float) -> None:
    """Write labels at the right of `axes`, pushed apart where they would touch.

    Args:
        axes: those of the lines.
        labels: where each would best stand.
        gap: the least distance between two, in units of y; on a logarithmic axis in powers of ten.
    """
    logarithmic = axes.get_yscale() == "log"
    low, high = map(math.log10, axes.get_ylim()) if logarithmic else axes.get_ylim()
    ordered = sorted(labels, key=lambda label: label.y)
    places: list[float] = []
    for label in ordered:
        y = math.log10(label.y) if logarithmic else label.y
        places.append(max(y, places[-1] + gap if places else low + gap / 2))
    top = high - gap / 4
    for at in range(len(places) - 1, -1, -1):
        places[at] = min(places[at], top)
        top = places[at] - gap
    for label, place in zip(ordered, [10**place for place in places] if logarithmic else places, strict=True):
        axes.annotate(
            label.text, (1.02, place), xycoords=("axes fraction", "data"), color=label.colour, va="center",
            fontsize=8.8, fontweight="bold" if label.bold else "normal", annotation_clip=False,
        )  # fmt: skip


def shares(axes: "Axes", label: str) -> None:
    """Make the y axis one of shares, from 0 to 1, with a quiet grid."""
    axes.set_ylim(-0.04, 1.05)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", ".25", ".5", ".75", "1"])
    axes.set_ylabel(label)
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
