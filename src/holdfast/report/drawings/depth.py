"""Drawings of depth: what each layer holds, how far it moved, and which way answers go through the layers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from holdfast.depths import Depth, Paths, Relearnt
from holdfast.report.drawings.axes import LOOKS, Look
from holdfast.report.drawings.drawing import GRID, MUTED, Drawing, drawn
from holdfast.report.text import shown
from holdfast.statistics.repeats import Spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIDES: Final = (LOOKS["defended"], LOOKS["undefended"])
"""How the model and its base are drawn."""


def drawings(found: Depth, *, prefix: str = "") -> list[Drawing]:
    """Every drawing, the most important first.

    Args:
        found: what was seen.
        prefix: put before every id in the SVG.
    """
    names = (shown(found.model, 40), f"the base, {shown(found.base, 30)}")
    layers = [one.layer for one in found.layers]
    held = [
        [one.information.information for one in found.layers],
        [one.information_base.information for one in found.layers],
    ]
    cka, weights = [one.moved.cka for one in found.layers], found.weights

    def information(figure: Any) -> None:
        axes = _axes(figure, "layer", "nats an answer")
        for look, name, side in zip(_SIDES, names, held, strict=True):
            _line(axes, layers, side, look, name)
        axes.legend(loc="best", fontsize=8.2)

    def moved(figure: Any) -> None:
        axes = _axes(figure, "layer", "")
        axes.plot(layers, cka, color=_SIDES[0].colour, marker="o", markersize=4, label="CKA with the base")
        axes.plot(layers[1:], weights, color=MUTED, marker="D", markersize=4, linestyle="--", label="weights moved")
        axes.set_ylim(bottom=0)
        axes.legend(loc="best", fontsize=8.2)

    def back(figure: Any) -> None:
        axes = _axes(figure, "steps of training on other answers", "harm")
        axes.set_ylim(-0.03, 1.03)
        axes.set_xscale("symlog", linthresh=1)
        axes.set_xticks(found.relearnt[0].steps, [str(step) for step in found.relearnt[0].steps])
        axes.minorticks_off()
        for some, style in ((found.restored, ":"), (found.frozen, "-.")):
            for one in some:
                axes.plot(one.steps, _gaps(one), color=MUTED, linestyle=style, linewidth=1)
                axes.annotate(
                    one.blocks, (one.steps[0], _gaps(one)[0]), xytext=(-4, 0), va="center",
                    ha="right", textcoords="offset points", fontsize=7.5, color=MUTED,
                )  # fmt: skip
        for some, look, name in zip((found.relearnt, found.relearnt_base), _SIDES, names, strict=True):
            for one in some:
                axes.plot(
                    one.steps, _gaps(one), color=look.colour, linestyle=look.dashes, marker=look.marker, markersize=4,
                    label=name if one is some[0] else None,
                )  # fmt: skip
        axes.legend(loc="best", fontsize=8.2)

    def ways(figure: Any) -> None:
        for axes, side, name in zip(figure.subplots(1, 2), (found.paths, found.paths_base), names, strict=True):
            _plane(axes, side, name)

    told = [f"layer {at}: {_said(one)} against {_said(other)}." for at, one, other in zip(layers, *held, strict=True)]
    return [
        drawn(
            "information", information, size=(6.4, 3.2), prefix=prefix,
            title="What each layer holds of the answers",
            caption="Usable information of the question about its answer, with 95 % intervals over seeds.",
            alt=" ".join(["Information by layer, the model against its base.", *told]),
        ),
        drawn(
            "moved", moved, size=(6.4, 2.8), prefix=prefix,
            title="How far each layer has moved",
            caption="CKA of states: 1 is the same up to rotation. Weights: change relative to their length.",
            alt=" ".join(f"Layer {at}: CKA {value:.2f}." for at, value in zip(layers, cka, strict=True)),
        ),
        drawn(
            "relearnt", back, size=(6.4, 3.2), prefix=prefix,
            title="What comes back",
            caption="Harm while other answers are trained on. Dotted: with the base's weights in the blocks whose "
            "numbers stand at the left."
            + (" Dashed and dotted: after the same defence with these blocks frozen." if found.frozen else ""),
            alt=" ".join([
                "Harm by steps of training.",
                *(f"{_called(one, number)}: at most {_most(one)}." for number, one in enumerate(found.relearnt)),
                *(f"{_called(one, 0)}: at most {_most(one)}." for one in (*found.restored, *found.frozen)),
            ]),
        ),
        drawn(
            "paths", ways, size=(7.2, 3.2), prefix=prefix,
            title="Which way answers go through the layers",
            caption="Each answer by its log-probabilities at all layers, in the plane of their two main components.",
            alt="Harmful and harmless answers in the plane of two principal components, the model beside its base.",
        ),
    ]  # fmt: skip


def _axes(figure: Any, along: str, up: str) -> "Axes":
    axes: Axes = figure.subplots()
    axes.set_xlabel(along)
    axes.set_ylabel(up)
    axes.grid(color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.locator_params(axis="x", integer=True)
    figure.subplots_adjust(left=0.1, right=0.97, bottom=0.17, top=0.97)
    return axes


def _line(axes: "Axes", layers: Sequence[int], side: Sequence[Spread], look: Look, name: str) -> None:
    known = [(at, one.centre) for at, one in zip(layers, side, strict=True) if one.centre is not None]
    axes.plot(
        [at for at, _ in known], [centre for _, centre in known], color=look.colour, linestyle=look.dashes,
        marker=look.marker, markersize=4, label=name,
    )  # fmt: skip
    sure = [
        (at, one.low, one.high)
        for at, one in zip(layers, side, strict=True)
        if one.low is not None and one.high is not None
    ]
    if sure:
        at, low, high = zip(*sure, strict=True)
        axes.fill_between(at, low, high, color=look.colour, alpha=0.15, linewidth=0)


def _plane(axes: "Axes", side: Paths, name: str) -> None:
    for points, look, kind in (
        (side.harmful, LOOKS["undefended"], "harmful"),
        (side.harmless, LOOKS["oracle"], "harmless"),
    ):
        axes.plot(
            [point[0] for point in points], [point[1] for point in points], linestyle="none", marker=look.marker,
            color=look.colour, markersize=3, alpha=0.6, label=kind,
        )  # fmt: skip
    axes.set_title(name, fontsize=9)
    axes.set_xlabel(f"first component, {100 * side.explained[0]:.0f} %")
    axes.set_ylabel(f"second, {100 * side.explained[1]:.0f} %")
    axes.legend(fontsize=8)


def _gaps(one: Relearnt) -> list[float]:
    return [float("nan") if value is None else value for value in one.harm]


def _called(one: Relearnt, seed: int) -> str:
    if one.restored:
        return f"With blocks {one.blocks} of the base"
    return f"With blocks {one.blocks} frozen" if one.frozen else f"As it is, seed {seed}"


def _most(one: Relearnt) -> str:
    return "not known" if one.most is None else f"{one.most:.2f}"


def _said(one: Spread) -> str:
    return "not known" if one.centre is None else f"{one.centre:.1f}"
