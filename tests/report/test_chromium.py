"""The page in a real browser: silent, alone, no wider than a phone, and it prints."""

import base64
import re

import pytest
from chromium import BROWSER, Chromium
from sample import report

from holdfast.report.page import page

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")

REPORTS = {
    "plain": {},
    "several": {
        "number": 4,
        "runs": 2,
        "models": ("one", "two", "org/a-rather-long-name-of-a-model-that-does-not-fit"),
    },
    "hostile": {"hostile": True, "runs": 4, "show_text": True},
    "seeds": {"number": 4, "runs": 8, "models": ("a",) * 3 + ("org/a-rather-long-name-of-a-model",) * 3, "over": True},
    "hostile seeds": {"number": 4, "runs": 2, "models": ("a",) * 3, "over": True, "hostile": True},
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    made = Chromium(tmp_path_factory.mktemp("chromium"))
    yield made
    made.close()


@pytest.fixture(scope="module", params=REPORTS)
def opened(request, browser, tmp_path_factory):
    """The browser with a report open, and its address."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page(report(**REPORTS[request.param])))
    browser.width(1280)
    browser.open(path.as_uri())
    return browser, path.as_uri()


def test_it_is_silent(opened):
    browser, _ = opened
    browser.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    told = browser.told(
        "Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Page.javascriptDialogOpening"
    )
    assert told == []


def test_it_asks_for_nothing_but_itself(opened):
    browser, address = opened
    asked = {event["request"]["url"] for event in browser.told("Network.requestWillBeSent")}
    assert {url for url in asked if not url.startswith("data:")} == {address}


def test_no_script_runs_and_nothing_was_added(opened):
    browser, _ = opened
    assert browser.value("document.querySelectorAll('script, iframe, object, embed, img, form').length") == 0
    assert browser.value("document.querySelectorAll('main').length") == 1


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_it_never_scrolls_sideways(opened, width):
    browser, _ = opened
    browser.width(width)
    browser.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert browser.value("document.documentElement.scrollWidth") <= width
    outside = (
        "[...document.querySelectorAll('main *')].filter(one => !one.closest('.scroll, svg, .sr') && "
        "one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 80))"
    )
    assert browser.value(outside) == []


def test_the_judges_figures_are_in_sight_whatever_an_attack_is_called(opened):
    """Names wrap, however long."""
    browser, _ = opened
    browser.width(1280)
    browser.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    section = "[...document.querySelectorAll('h3')].find(one => one.textContent == 'Judges').parentElement"
    table = f"[...{section}.querySelectorAll('.scroll')].find(one => one.textContent.includes('Kappa'))"
    assert browser.value(f"{table}.scrollWidth <= {table}.clientWidth")


def test_it_prints(opened):
    browser, _ = opened
    pdf = base64.b64decode(browser("Page.printToPDF", printBackground=True)["data"])
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) > 2


def test_print_opens_what_is_folded_but_for_the_runs(opened):
    """Of one model the figures behind the drawings are on paper, of several each verdict but for those; every setting
    of every run would be fifty pages."""
    browser, _ = opened
    browser.value("document.querySelectorAll('details').forEach(one => one.open = false)")
    seen = "(document.body.offsetHeight, document.querySelector('%s').checkVisibility({contentVisibilityAuto: true}))"
    figures, runs = "details:not(.runs details) table:not(.fold .behind *)", ".runs dl"
    assert [browser.value(seen % one) for one in (figures, runs)] == [False, False]
    browser("Emulation.setEmulatedMedia", media="print")
    try:
        assert [browser.value(seen % one) for one in (figures, runs)] == [True, False]
    finally:
        browser("Emulation.setEmulatedMedia", media="")


def test_a_link_to_a_folded_verdict_opens_it(browser, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(page(report(**REPORTS["seeds"])))
    browser.width(1280)
    browser.open(path.as_uri())
    seen = "document.querySelector('#model-2 .cost').checkVisibility({contentVisibilityAuto: true})"
    assert browser.value(seen) is False
    browser.value("document.querySelector('#compared a[href=\"#model-2\"]').click()")
    assert browser.value(seen) is True
