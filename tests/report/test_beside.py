"""What lies beside records and belongs on their page, and the ranking."""

import json
from dataclasses import asdict

import pytest
from hostile import HOSTILE

from holdfast.depths import Depth, Held, Layer, Moved, Paths, Probed, Relearnt, Verdict
from holdfast.errors import DataError
from holdfast.report.beside import beside
from holdfast.report.build import build, write
from holdfast.report.drawings.ranking import MOST, Ranked, ranking
from holdfast.report.scale.cells import Cell
from holdfast.report.scale.found import Durability, Durable, Strong
from holdfast.statistics.repeats import spread
from holdfast.statistics.scale.fit import Penalty
from verdict.made import BREAKS, HOLDS, folder, record


def deep(model="hard"):
    layers = [
        Layer(
            layer=layer,
            information=Held(information=spread([1.0, 2.0, 3.0]), loss=2.0),
            information_base=Held(information=spread([2.0]), loss=1.0),
            probe=Probed(accuracy=spread([0.9]), selectivity=spread([0.3])),
            probe_base=Probed(accuracy=spread([0.9]), selectivity=spread([0.3])),
            moved=Moved(cka=0.9, distance=0.1, noise=0.2, noise_base=0.3),
        )
        for layer in (0, 1)
    ]
    learnt = [Relearnt(restored=(), frozen=(), steps=[0, 3], harm=[0.1, 0.9])]
    paths = Paths(harmful=[(0.0, 1.0)], harmless=[(1.0, 0.0)], explained=(0.7, 0.2))
    verdict = Verdict(fate="hidden", readable=0.9, relearnt=0.95, sentence="The information was only hidden.")
    return Depth(
        model=model, base="base", domain="fable", harmful=9, harmless=9, layers=layers, weights=[0.1], paths=paths,
        paths_base=paths, relearnt=learnt, relearnt_base=learnt, floor=0.0, verdict=verdict,
        restored=[Relearnt(restored=(0,), frozen=(), steps=[0, 3], harm=[0.5, None])],
        frozen=[Relearnt(restored=(), frozen=(0,), steps=[0, 3], harm=[0.2, 0.3])],
    )  # fmt: skip


def durable(name="hard"):
    return Durability(
        domain="fable", zero="base", unit="sft", penalty=Penalty(kind="log_slopes", strength=0.1), apart=[],
        models=[Durable(model=name, role="defended", durability=1.0, low=0.5, high=1.5, cells=2)],
        attacks=[Strong(attack="sft", strength=1.0, cells=2)], fitted=2, gaps=0, resamples=9, error=0.1,
        cells=[Cell(model=name, attack="sft", role="defended", trains=True, success=0.5, noise=0.1, flops=1.0)],
        held_out=None, next=[],
    )  # fmt: skip


@pytest.fixture
def place(tmp_path):
    return folder(tmp_path / "study", record("undefended", BREAKS), record("defended", HOLDS))


def put(place, what, name):
    (place / name).parent.mkdir(exist_ok=True)
    (place / name).write_text(json.dumps(asdict(what)))


def test_a_folder_without_them_has_none(place):
    assert beside(place) == []


def test_they_are_read_back_as_they_were_written(place):
    put(place, durable(), "scale.json")
    put(place, deep(), "deep/depth.json")
    scale, depth = beside(place, prefix="p-")
    assert [one.name for one in scale.drawings] == ["scale"]
    assert depth.title == "Depth of hard"
    assert depth.said == "The information was only hidden. Beside base, on fable."
    assert [one.name for one in depth.drawings] == ["information", "relearnt"]
    assert all(one.prefix.startswith("p-") for one in (*scale.drawings, *depth.drawings))
    assert "With blocks 0 frozen: at most 0.30" in depth.drawings[1].alt


@pytest.mark.parametrize("name", HOSTILE[:-1])
def test_a_report_shows_them_and_nothing_breaks_out(place, name):
    put(place, durable(name), "scale.json")
    put(place, deep(name), "depth.json")
    write(build(place), place)
    page = (place / "report.html").read_text()
    assert "<h2><bdi>Defences and attacks on one scale</bdi></h2>" in page
    assert "The information was only hidden." in page
    assert page.count("<script") == page.count("<iframe") == page.count("<img") == 0
    assert not any(sign in page for sign in "\u202e\x00\x1b")


def test_a_broken_one_is_named(place):
    (place / "depth.json").write_text('{"model": 3}')
    with pytest.raises(DataError, match=r"depth\.json is not as holdfast depth writes it: model: Input should be"):
        write(build(place), place)
    (place / "depth.json").write_text("{")
    with pytest.raises(DataError, match=r"depth\.json is no JSON"):
        write(build(place), place)
    assert not (place / "report.html").exists()


def ranked(name, low, high, outcome="holds"):
    return Ranked(name=name, outcome=outcome, low=low, high=high)


def test_the_surest_first():
    """By the lower bound, and of two alike the one without an upper bound; without a figure none is drawn."""
    found = ranking([ranked("a", 1, 2, "broken"), ranked("b", 4, 8), ranked("c", 4, None), ranked("d", None, None)])
    order = [found.alt.index(f" {name}, ") for name in "cba"]
    assert order == sorted(order)
    assert " d, " not in found.alt
    assert "c, holds: at least 4.0\N{MULTIPLICATION SIGN}, no upper bound." in found.alt
    assert "1 more are in the table alone" in found.caption
    assert ranking([ranked("d", None, None)]) is None


@pytest.mark.parametrize("bounds", [(0.0, 0.5), (0.0, None), (1e-9, 1e9), (1.0, 1.0)])
def test_any_bounds_can_be_drawn(bounds):
    assert ranking([ranked("a", *bounds)]).svg.startswith("<svg")


def test_many_are_cut_to_what_can_be_read():
    found = ranking([ranked(f"m{at}", 1 + at, None) for at in range(500)])
    assert found.alt.count("at least") == MOST
    assert len(found.svg) < 60_000
