"""Drawings: well-formed, small, the same every time, and a gap in them is a gap."""

import dataclasses
import re
import xml.etree.ElementTree as ET

import pytest
from sample import report
from sample_seeds import comparison
from sample_verdict import GAP, curve, verdict

from holdfast.report.curves import Curve, Point
from holdfast.report.drawings.budgets import envelope
from holdfast.report.drawings.plots import drawings, over_seeds
from holdfast.report.figure import Figure

NAMES = ["resistance", "utility", "fluency", "generalization", "categories", "tasks", "learning"]


def point(flops, harm):
    figure = Figure(value=harm)
    return Point(
        steps=1, examples=1, samples=1, flops=flops, harm=figure, refusal=figure, fluency=figure, utility=figure
    )


def of(*points, failure=None):
    return Curve(role="defended", attack="a", points=[point(*p) for p in points], broke_at=None, failure=failure)


def values(curves, measure):
    return [(flops, figure.value) for flops, figure in envelope(curves, measure)]


def test_the_worst_case_by_hand():
    """At 1 FLOP .2; at 2 the other attack's .1 is no more; at 3 a gap says nothing; at 4 it is .9."""
    curves = [of((0, 0.0), (1, 0.2), (3, None)), of((0, 0.1), (2, 0.1), (4, 0.9))]
    assert values(curves, "harm") == [(0, 0.1), (1, 0.2), (2, 0.2), (4, 0.9)]
    assert values(curves, "utility") == [(0, 0.0), (1, 0.0), (2, 0.0), (4, 0.0)]
    assert values([], "harm") == []


@pytest.fixture(scope="module")
def found():
    return drawings(verdict(), 0.083, 0.3, prefix="m1-")


def test_each_is_whole_and_says_what_it_shows(found):
    assert [drawing.name for drawing in found] == NAMES
    for drawing in found:
        root = ET.fromstring(drawing.svg)
        assert root.get("role") == "img"
        assert root[0].text == drawing.alt
        assert drawing.svg.count("<style") == drawing.svg.count("<metadata") == drawing.svg.count("<?") == 0
    assert found[-1].png.startswith(b"\x89PNG")
    assert "worst of 5 attacks: 0.01 at 0\u00a0FLOP, at most 0.98" in found[0].alt


def test_ids_are_its_own(found):
    ids = [name for drawing in found for name in re.findall(r'\bid="([^"]*)"', drawing.svg)]
    assert len(ids) == len(set(ids))
    assert all(name.startswith("m1-") for name in ids)
    for drawing in found:
        used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', drawing.svg))
        assert used <= set(re.findall(r'\bid="([^"]*)"', drawing.svg))


def test_the_same_twice(found):
    again = drawings(verdict(), 0.083, 0.3, prefix="m1-")
    assert [d.svg for d in again] == [d.svg for d in found]
    assert again[0].png == found[0].png


def test_the_worst_case_keeps_its_interval():
    """It is that of the rung that was worst, however wide others are; a band is drawn where there is one."""
    first, second = of((1, 0.6), (2, 0.4)), of((1, 0.1))
    first.points[0] = dataclasses.replace(first.points[0], harm=Figure(value=0.6, low=0.5, high=0.7, n=9))
    first.points[1] = dataclasses.replace(first.points[1], harm=Figure(value=0.4, low=0.0, high=1.0, n=2))
    found = envelope([first, second], "harm")
    assert [(figure.low, figure.high) for _, figure in found] == [(0.5, 0.7), (0.5, 0.7)]
    with_band, without = (
        drawings(_only([of((1, 0.6), (2, 0.4))] if bare else [first]), 0.0, 0.3)[0].svg for bare in (False, True)
    )
    assert "opacity: 0.15" in with_band
    assert "opacity: 0.15" not in without


def test_many_curves_stay_small():
    for drawing in drawings(verdict(number=45), 0.083, 0.3):
        assert len(drawing.svg) < 60_000


def test_a_gap_is_no_zero():
    """The rung at 4 FLOP is a gap: what is left is two strokes, and no point at zero between them."""
    whole = [of((1, 0.5), (2, 0.5), (4, 0.5), (8, 0.5), (16, 0.5))]
    gap = [of((1, 0.5), (2, 0.5), (4, None), (8, 0.5), (16, 0.5))]

    def strokes(curves):
        svg = drawings(_only(curves), None, None)[0].svg
        line = next(path for path in re.findall(r'<path d="([^"]*)"[^>]*stroke-opacity: 0.4', svg))
        return line.count("M"), {y for _, y in re.findall(r"[ML] (\S+) (\S+)", line)}

    (one, level), (two, with_gap) = strokes(whole), strokes(gap)
    assert (one, two) == (1, 2)
    assert level == with_gap


def test_nothing_measured_is_no_drawing():
    assert drawings(_only([]), 0.083, 0.3) == []
    assert drawings(_only([of((0, None), (1, None))]), 0.083, 0.3) == []
    assert drawings(_only([of(failure="it failed")]), 0.083, 0.3) == []


@pytest.mark.parametrize("curves", [[of((0, 0.5))], [of((7, 0.5))], [of((0, 0.1), (1e24, 0.5))]])
def test_odd_budgets(curves):
    assert len(drawings(_only(curves), None, None)) == 3


def test_a_run_that_failed_is_marked():
    failed = curve("defended", "a", 3, 1.0, failure="out of memory")
    plain = dataclasses.replace(failed, failure=None)
    marked, unmarked = (drawings(_only([c]), None, None)[0].svg for c in (failed, plain))
    assert marked.count("<use") == unmarked.count("<use") + 1


def test_hostile_names_stay_text():
    made = report(hostile=True)
    made = dataclasses.replace(made, comparisons=report(hostile=True, over=True, models=("a",) * 3).comparisons)
    for drawing in [*drawings(made.verdicts[0], made.floor, 0.3), *over_seeds(made.comparisons[0])]:
        tags = {element.tag.partition("}")[2] for element in ET.fromstring(drawing.svg).iter()}
        assert tags <= {"svg", "title", "defs", "g", "path", "use", "text", "tspan", "clipPath", "rect", "pattern"}


def _only(curves):
    return dataclasses.replace(
        verdict(), curves=curves, categories=[], tasks=[], generalization=[], generalization_curves=[], multipliers=[]
    )


def test_figures_without_a_value_are_left_out():
    bare = dataclasses.replace(
        verdict().categories[0], undefended_before=GAP, undefended_after=GAP, defended_before=GAP, defended_after=GAP
    )
    assert drawings(dataclasses.replace(_only([]), categories=[bare]), None, None) == []


def test_over_seeds_each_is_whole_and_says_what_it_shows():
    survival, tries = over_seeds(comparison("a", [0, 1, 2]), prefix="s1-")
    assert (survival.name, tries.name) == ("survival", "tries")
    for drawing in (survival, tries):
        assert ET.fromstring(drawing.svg)[0].text == drawing.alt
        assert all(name.startswith("s1-") for name in re.findall(r'\bid="([^"]*)"', drawing.svg))
        assert len(drawing.svg) < 60_000
    assert "Undefended: 4 of 5 runs broke it, half of them by 300\u00a0MFLOP." in survival.alt
    assert "Defended: 3 of 5 runs broke it, fewer than half of them." in survival.alt
    assert "Defended (seed 2): harm" in tries.alt


def test_over_seeds_nothing_measured_is_no_drawing():
    bare = dataclasses.replace(comparison("a", [0]), outlived=[], tries=[])
    assert over_seeds(bare) == []
    held = [dataclasses.replace(one, broke=0, share=[1.0] * 4) for one in comparison("a", [0]).outlived]
    once = [dataclasses.replace(one, points=one.points[:1]) for one in comparison("a", [0]).tries]
    assert over_seeds(dataclasses.replace(bare, outlived=held, tries=once)) == []


def test_a_model_that_no_try_breaks_has_no_cost():
    """Only harm and the chance of a break are drawn."""
    tries = [
        dataclasses.replace(one, points=[dataclasses.replace(point, broken=0.0, cost=None) for point in one.points])
        for one in comparison("a", [0]).tries
    ]
    (drawing,) = over_seeds(dataclasses.replace(comparison("a", [0]), outlived=[], tries=tries))
    assert "least cost" not in drawing.svg
    assert "chance of a break" in drawing.svg


def test_a_model_that_is_broken_for_nothing_has_a_place():
    """On a logarithmic axis of costs, below the least that any other break takes."""
    base, hard = comparison("a", [0]).tries
    free = dataclasses.replace(hard, points=[dataclasses.replace(point, cost=0.0) for point in hard.points])
    for found in ([base, free], [free]):
        (drawing,) = over_seeds(dataclasses.replace(comparison("a", [0]), outlived=[], tries=found))
        assert "least cost" in drawing.svg
        assert "Defended (seed 0): harm" in drawing.alt
        assert "cheapest 0\u00a0FLOP at 8" in drawing.alt


def test_learning_curves_of_many_tasks_with_long_names():
    tasks = [dataclasses.replace(verdict().tasks[0], name=f"a task of a name that is long {at}") for at in range(12)]
    drawing = next(d for d in drawings(dataclasses.replace(verdict(), tasks=tasks), None, None) if d.name == "learning")
    assert "The first 9 of 12 tasks." in drawing.caption
    assert "a task of a name th…" in drawing.svg
