"""Drawings over the attacker's budget: harm, with where each model breaks, and the utility and fluency left."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from holdfast.records import Role
from holdfast.report.curves import Curve, Point
from holdfast.report.drawings.axes import LEFT, LOOKS, RIGHT, Label, Scale, beside, shares
from holdfast.report.drawings.drawing import INK, MUTED, Drawing, drawn
from holdfast.report.figure import Figure
from holdfast.report.schema import Least, Multiplied
from holdfast.report.wording import amount, spent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Measure = Literal["harm", "utility", "fluency"]
BUDGET = "attacker's training compute (FLOP)"


def envelope(curves: Sequence[Curve], measure: Measure) -> list[tuple[float, Figure]]:
    """The worst that any attack reached with at most so many FLOPs: most harm, or least utility or fluency.

    Gives (FLOPs, figure) at every measured rung, in order of FLOPs; what was not measured is not there.
    """
    known = [
        (point.flops, value, figure)
        for curve in curves
        for point in curve.points
        if (value := (figure := _figure(point, measure)).value) is not None
    ]
    found: dict[float, Figure] = {}
    worst: tuple[float, Figure] | None = None
    for flops, value, figure in sorted(known, key=lambda one: one[:2]):
        if worst is None or (value > worst[0] if measure == "harm" else value < worst[0]):
            worst = value, figure
        found[flops] = worst[1]
    return list(found.items())


def harm(
    curves: Sequence[Curve], multiplied: Multiplied | None, floor: float | None, threshold: float | None, *,
    prefix: str = "", name: str = "resistance",
) -> Drawing | None:  # fmt: skip
    """Harm over budget, every attack and the worst case, and where each model breaks. None without a figure."""
    if not any(envelope(curves, "harm")):
        return None
    scale = _scale(curves)
    sides: dict[Role, Least | None] = {
        "undefended": multiplied.undefended if multiplied else None,
        "defended": multiplied.defended if multiplied else None,
    }

    def draw(figure: Any) -> None:
        strip, axes = figure.subplots(2, 1, height_ratios=(1, 7), gridspec_kw={"hspace": 0.06})
        figure.subplots_adjust(left=LEFT, right=RIGHT, bottom=0.145, top=0.985)
        _strip(strip, scale, sides)
        shares(axes, "harm")
        scale.apply(axes, BUDGET)
        labels = _lines(axes, scale, curves, "harm")
        for y, text, dashes in ((threshold, "threshold", (0, (5, 2))), (floor, "guessing", (0, (1, 1.5)))):
            if y is not None:
                axes.axhline(y, color=INK, linewidth=1, linestyle=dashes, zorder=1.5)
                labels.append(Label(y, f"{text} {y:.2f}", MUTED))
        for role, least in sides.items():
            if least:
                start, end = _span(scale, least)
                axes.axvspan(start, end, color=LOOKS[role].colour, alpha=0.1, linewidth=0)
        beside(axes, labels, 0.075)

    where = "categories the defence never saw" if name == "generalization" else "every category"
    breaks = [f"The {role} model is {spent(least, 'flops')}." for role, least in sides.items() if least]
    return drawn(
        name, draw, size=(5, 3.4), prefix=prefix,
        title=f"Harm after attack, {where}",
        caption="Thin: one attack each. Bold: the most harm that any attack reached with at most that budget, in the "
        "band of its 95 % interval. The bars "
        "above, and the tint below them, span the last budget at which a model held and the first at which it was "
        "broken. A cross marks a run that did not finish.",
        alt=" ".join([_told(curves, "harm"), *breaks]),
    )  # fmt: skip


def kept(curves: Sequence[Curve], measure: Literal["utility", "fluency"], *, prefix: str = "") -> Drawing | None:
    """Utility or fluency left over budget, so that a model that was ruined is seen. None without a figure."""
    if not any(envelope(curves, measure)):
        return None
    scale = _scale(curves)

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        figure.subplots_adjust(left=LEFT, right=RIGHT, bottom=0.2, top=0.97)
        shares(axes, measure)
        scale.apply(axes, BUDGET)
        beside(axes, _lines(axes, scale, curves, measure), 0.115)

    return drawn(
        measure, draw, size=(5, 2.3), prefix=prefix,
        title=f"{measure.capitalize()} after attack",
        caption=f"Thin: one attack each. Bold: the least {measure} that any attack left with at most that budget, in "
        "the band of its 95 % interval.",
        alt=_told(curves, measure),
    )  # fmt: skip


def _figure(point: Point, measure: Measure) -> Figure:
    return getattr(point, measure)


def _worst(curves: Sequence[Curve], measure: Measure) -> list[tuple[float, float]]:
    """The envelope's values alone."""
    return [(flops, figure.value) for flops, figure in envelope(curves, measure) if figure.value is not None]


def _scale(curves: Sequence[Curve]) -> Scale:
    return Scale.of(point.flops for curve in curves for point in curve.points)


def _by_role(curves: Sequence[Curve]) -> dict[Role, list[Curve]]:
    found: dict[Role, list[Curve]] = {role: [c for c in curves if c.role == role] for role in LOOKS}
    return {role: some for role, some in found.items() if some}


def _lines(axes: "Axes", scale: Scale, curves: Sequence[Curve], measure: Measure) -> list[Label]:
    """Draw every role's curves and their worst case; the labels that belong at their right ends."""
    labels: list[Label] = []
    for role, some in _by_role(curves).items():
        look = LOOKS[role]
        for curve in some:
            x = [scale.place(point.flops) for point in curve.points]
            values = [_figure(point, measure).value for point in curve.points]
            y = [float("nan") if value is None else value for value in values]
            axes.plot(x, y, color=look.colour, alpha=0.4, linewidth=0.8, marker=".", markersize=3, markevery=_alone(y))
            if curve.failure and any(v == v for v in y):
                last = max(at for at, v in enumerate(y) if v == v)
                axes.plot(x[last], y[last], marker="x", color=look.colour, markersize=6, markeredgewidth=1.5)
        worst = _worst(some, measure)
        if not worst:
            continue
        x, y = [scale.place(flops) for flops, _ in worst], [value for _, value in worst]
        _band(axes, x, [figure for _, figure in envelope(some, measure)], look.colour)
        turns = [at for at in range(len(y)) if at == 0 or y[at] != y[at - 1]]
        axes.plot(
            x, y, color=look.colour, linestyle=look.dashes, linewidth=2.1, drawstyle="steps-post", marker=look.marker,
            markersize=4.5, markevery=turns, markeredgecolor="white", markeredgewidth=0.6, zorder=3,
        )  # fmt: skip
        labels.append(Label(y[-1], role, look.colour, bold=True))
    return labels


def _band(axes: "Axes", x: list[float], figures: Sequence[Figure], colour: str) -> None:
    """The 95 % interval of each figure, where it has one."""
    nan = float("nan")
    low = [nan if figure.low is None else figure.low for figure in figures]
    high = [nan if figure.high is None else figure.high for figure in figures]
    axes.fill_between(x, low, high, step="post", color=colour, alpha=0.15, linewidth=0, zorder=1)


def _alone(y: list[float]) -> list[int]:
    """Rungs between two gaps, which no line would show."""
    gaps = [True, *(value != value for value in y), True]
    return [at for at in range(len(y)) if gaps[at] and gaps[at + 2] and not gaps[at + 1]]


def _span(scale: Scale, least: Least) -> tuple[float, float]:
    return scale.place(least.below), scale.place(least.at) if least.at is not None else scale.high * 2


def _strip(axes: "Axes", scale: Scale, sides: dict[Role, Least | None]) -> None:
    """The bars above the axes: from the last budget at which each model held to the first at which it was broken."""
    scale.apply(axes)
    axes.set_ylim(-0.6, 1.6)
    axes.set_yticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for y, (role, least) in zip((1, 0), sides.items(), strict=True):
        if least is None:
            continue
        look = LOOKS[role]
        start, end = _span(scale, least)
        axes.barh(y, end - start, left=start, height=0.62, color="white", edgecolor=look.colour, hatch=look.hatch)
        low, high = axes.get_xlim()
        left = math.log(max(start, low) * min(end, high)) > math.log(low * high)
        axes.annotate(
            f"{role}: {'not broken' if least.at is None else 'breaks here'}",
            (max(start, low) if left else min(end, high), y), xytext=(-4 if left else 4, 0),
            textcoords="offset points", ha="right" if left else "left", va="center", color=look.colour, fontsize=8.8,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        )  # fmt: skip


def _told(curves: Sequence[Curve], measure: Measure) -> str:
    """The worst cases in words."""
    told = [f"{measure.capitalize()} against the attacker's training compute."]
    for role, some in _by_role(curves).items():
        worst = _worst(some, measure)
        if worst:
            extreme = "most" if measure == "harm" else "least"
            told.append(
                f"{role.capitalize()}, worst of {len(some)} attacks: {worst[0][1]:.2f} at "
                f"{amount(worst[0][0], 'flops')}, at {extreme} {worst[-1][1]:.2f} by {amount(worst[-1][0], 'flops')}."
            )
    return " ".join(told)
