"""The index over many studies, and the page of it in a real browser."""

import itertools
import time

import pytest
from chromium import BROWSER, Chromium
from hostile import HOSTILE

from holdfast.errors import DataError
from holdfast.records import World
from holdfast.report.index.collect import collect
from holdfast.report.index.page import page
from verdict.made import BREAKS, HOLDS, folder, prompted, record

EVIL = "evil<script>alert(1)</script>\u202e\x00" + "long" * 200


@pytest.fixture
def studies(tmp_path):
    """One study whose model breaks, one whose model holds, and one without a hardened model."""
    broken = folder(tmp_path / "broken", record("undefended", BREAKS), record("defended", (0, 0, 0.1, 0.5, 0.6, 0.7)))
    held = folder(
        tmp_path / "held",
        record("undefended", BREAKS),
        record("defended", HOLDS, model=EVIL, defence={"name": "wall", "settings": {}, "seed": 0}),
    )
    alone = folder(tmp_path / "alone", record("undefended", BREAKS), prompted("undefended", 0.9))
    (broken / "report.html").write_text("")
    return [broken, held, alone]


def test_every_model_has_a_row_and_every_study_a_place(studies, tmp_path):
    found = collect(studies, tmp_path / "index.html")
    assert [one.name for one in found.studies] == ["broken", "held", "alone"]
    assert [one.link for one in found.studies] == ["broken/report.html", None, None]
    assert [row.study for row in found.rows] == [0, 1]
    assert found.rows[0].outcome == "broken"
    assert found.rows[0].multiplier.low == pytest.approx(1.0)
    assert found.rows[0].harm == 0.7
    assert "nothing to give a verdict on" in found.studies[2].why
    assert len(found.studies[2].cells) == 2


def test_a_heat_map_has_gaps_and_says_when_there_is_too_much_of_it(studies, tmp_path, monkeypatch):
    """Of two attacks the hardened model met one: its other cell is a gap, no zero."""
    two = folder(
        tmp_path / "two",
        record("undefended", BREAKS),
        record("undefended", BREAKS, rate=1e-2),
        record("defended", HOLDS),
    )
    made = page(collect([two], tmp_path / "index.html"))
    assert made.count('<span class="sr">not run</span>') == 1
    monkeypatch.setattr("holdfast.report.index.page._CELLS", 3)
    assert "2 models under 2 attacks are too many cells" in page(collect([two], tmp_path / "index.html"))


def test_a_folder_without_records_is_told(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty holds no record"):
        collect([tmp_path / "empty"], tmp_path / "index.html")


def test_nothing_breaks_out(studies, tmp_path):
    made = page(collect(studies, tmp_path / "index.html"))
    assert "<script>alert" not in made
    assert made.count("<script>") == 1
    assert "\u202e" not in made
    assert "\x00" not in made


@pytest.mark.parametrize("name", HOSTILE[:-1])
def test_no_name_breaks_out(tmp_path, name):
    """Of a model, a defence, an attack, a domain, a folder."""
    world = World(name=name, data="da7a", floor=0.0, categories=None)
    given = {"domain": world, "attack": {"name": name, "settings": {name: name}}, "steps": (0,)}
    study = folder(
        tmp_path / '"><img src=x onerror=alert(1)>',
        record("undefended", (0.9,), **given),
        record("defended", (0.1,), model=name, defence={"name": name, "settings": {}, "seed": 0}, **given),
    )
    made = page(collect([study], tmp_path / "index.html"))
    assert made.count("<script") == 1
    assert made.count("<iframe") == made.count("<img") == 0
    assert not any(sign in made for sign in "\u202e\x00\x1b\x9b")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    made = Chromium(tmp_path_factory.mktemp("chromium"))
    yield made
    made.close()


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")
def test_in_a_browser(browser, studies, tmp_path):
    """Silent and alone; filtered by words, sorted by a column either way, gaps last."""
    path = tmp_path / "index.html"
    path.write_text(page(collect(studies, path)))
    browser.open(path.as_uri())
    listed = "[...document.querySelectorAll('#models tbody tr')]"
    rows = f"{listed}.filter(row => !row.hidden).map(row => row.cells[0].textContent)"
    assert browser.value(rows) == ["broken", "held"]
    browser.value("f = document.querySelector('#filter'); f.value = 'HOLDS'; f.dispatchEvent(new Event('input'))")
    browser.value("f.value = 'broken'; f.dispatchEvent(new Event('input'))")
    assert browser.value(rows) == ["broken"]
    assert browser.value("document.querySelector('#shown').textContent") == "1 of 2 models"
    browser.value("f.value = ''; f.dispatchEvent(new Event('input'))")
    harm = "document.querySelectorAll('#models thead button')[5]"
    browser.value(f"{harm}.click()")
    assert browser.value(rows) == ["broken", "held"]
    browser.value(f"{harm}.click()")
    assert browser.value(rows) == ["held", "broken"]
    assert browser.value(f"{harm}.closest('th').getAttribute('aria-sort')") == "ascending"
    time.sleep(0.1)
    assert browser.told("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown") == []
    asked = {one["request"]["url"] for one in browser.told("Network.requestWillBeSent")}
    assert asked <= {path.as_uri(), "data:,"}


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")
def test_by_keyboard_and_by_ear(browser, studies, tmp_path):
    """From the filter two stops of Tab come to the first column's button, and Enter sorts by it; what is read out has
    one first heading, no level left out, a scope for every heading of the table, and words for every drawing."""
    path = tmp_path / "index.html"
    path.write_text(page(collect(studies, path)))
    browser.open(path.as_uri())
    browser.value("document.querySelector('#filter').focus()")
    for key, code, text in (("Tab", 9, ""), ("Tab", 9, ""), ("Enter", 13, "\r")):
        for kind in ("keyDown", "keyUp"):
            browser("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, text=text)
    assert browser.value("document.activeElement.textContent") == "study"
    assert browser.value("document.activeElement.closest('th').getAttribute('aria-sort')") == "descending"
    levels = browser.value("[...document.querySelectorAll('h1, h2, h3, h4')].map(one => +one.tagName[1])")
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert browser.value("document.querySelectorAll('th:not([scope])').length") == 0
    named = (
        "[...document.querySelectorAll('svg')].map(one => document.getElementById(one.getAttribute('aria-labelledby')))"
    )
    assert browser.value(f"{named}.every(one => one && one.textContent.length > 20)")
    assert browser.value("document.querySelector('#filter').labels.length") == 1
    assert browser.value("document.documentElement.lang") == "en"
