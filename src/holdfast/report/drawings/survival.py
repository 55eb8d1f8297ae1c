"""A drawing of break points as right-censored data: the share of attacks that a model outlives, by what they spend."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from holdfast.report.drawings.axes import LEFT, LOOKS, RIGHT, Label, Scale, beside, shares
from holdfast.report.drawings.budgets import BUDGET
from holdfast.report.drawings.drawing import INK, Drawing, drawn
from holdfast.report.seeds import Outlived
from holdfast.report.wording import amount

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def outlived(found: Sequence[Outlived], *, prefix: str = "") -> Drawing | None:
    """The Kaplan-Meier curves with their 95 % bands. None where no attack broke anything."""
    if not any(one.broke for one in found):
        return None
    scale = Scale.of(cost for one in found for cost in one.costs)

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        figure.subplots_adjust(left=LEFT, right=RIGHT, bottom=0.17, top=0.97)
        shares(axes, "attacks it outlives")
        scale.apply(axes, BUDGET)
        axes.axhline(0.5, color=INK, linewidth=0.8, linestyle=(0, (1, 1.5)), zorder=1)
        beside(axes, [_curve(axes, scale, one) for one in found], 0.09)

    return drawn(
        "survival", draw, size=(5, 2.9), prefix=prefix,
        title="Attacks outlived",
        caption="The share of attacks that have not broken a model yet, by what each has spent (Kaplan-Meier), with "
        "95 % bands. A tick: attacks that ended there without a break, so that what more they need is not known. "
        "Dotted: half of them. The same attacks are run on both sides, and all hardened models count alike: the "
        "bands are those of independent attacks, which these are not.",
        alt=" ".join(["The share of attacks that have not broken a model yet.", *map(_told, found)]),
    )  # fmt: skip


def _curve(axes: "Axes", scale: Scale, one: Outlived) -> Label:
    look = LOOKS[one.role]
    end = axes.get_xlim()[1]
    x = [scale.zero, *map(scale.place, one.costs), end]
    share = [1.0, *one.share]
    y = [*share, share[-1]]
    style: Any = {"color": look.colour, "linestyle": look.dashes, "linewidth": 2.1}
    axes.plot(x, y, drawstyle="steps-post", zorder=3, **style)
    low = [_or(value, y[at + 1]) for at, value in enumerate(one.low)]
    high = [_or(value, y[at + 1]) for at, value in enumerate(one.high)]
    axes.fill_between(
        x, [1.0, *low, low[-1]], [1.0, *high, high[-1]], step="post", color=look.colour, alpha=0.13, linewidth=0
    )  # fmt: skip
    # Where the share did not fall, attacks only left the count.
    left = [at for at in range(len(one.costs)) if share[at + 1] == share[at]]
    axes.plot(
        [x[at + 1] for at in left], [y[at + 1] for at in left], linestyle="none", marker="|", color=look.colour,
        markersize=9, markeredgewidth=1.6, zorder=4,
    )  # fmt: skip
    return Label(y[-1], one.role, look.colour, bold=True)


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _told(one: Outlived) -> str:
    median = f"half of them by {amount(one.median, 'flops')}" if one.median is not None else "fewer than half of them"
    return f"{one.role.capitalize()}: {one.broke} of {one.attacks} runs broke it, {median}."
