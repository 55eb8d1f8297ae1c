"""The page: nothing breaks out of it, nothing restricted gets in, and every section is there."""

import dataclasses
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from sample import RESTRICTED, report
from sample_verdict import GAP

from holdfast.report.page import page, settings

SECTIONS = [
    "What the defence costs an attacker", "What this rests on", "Before relying on it", "Controls",
    "The four conditions of immunization", "Resistance", "Harm by category", "Attacks that train nothing",
    "Generalization", "Trainability", "What the models said", "Attacks that tell less", "Threat model", "Limits",
    "What was not measured", "Terms of the verdict", "Runs",
]  # fmt: skip
TAGS = set(
    "html head meta link title style body header main nav article section footer h1 h2 h3 h4 p a ul li dl dt dd div "
    "span bdi strong em code br table thead tbody tr th td details summary figure figcaption blockquote "
    "svg g defs path use text tspan clippath rect pattern".split()
)
EMPTY = {"meta", "link", "br", "img", "input"}


class Reader(HTMLParser):
    """Every tag with its attributes, the text, and whether each end fits its start."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.open = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text.append(data)


@pytest.fixture(scope="module")
def plain():
    return page(report())


@pytest.fixture(scope="module")
def hostile():
    return page(report(hostile=True, number=45, runs=60, show_text=True))


@pytest.mark.parametrize("kind", ["plain", "hostile"])
def test_nothing_breaks_out(kind, request):
    text = request.getfixturevalue(kind)
    read = Reader(text)
    assert {tag for tag, _ in read.tags} <= TAGS
    for tag, attributes in read.tags:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        for name in ("href", "src", "xlink:href"):
            assert attributes.get(name, "#").startswith(("#", "data:,"))
        assert set(attributes) <= set(
            "id class href rel lang charset name content http-equiv title aria-label aria-hidden aria-labelledby role "
            "tabindex scope rowspan colspan style viewbox xmlns xmlns:xlink version xlink:href d x y width height "
            "transform clip-path patternunits fill".split()
        ), (tag, attributes)
    assert [tag for tag, _ in read.tags].count("style") == 1
    assert not [char for char in text if ord(char) < 32 and char != "\n"]
    assert not re.search("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\u200b\ufeff]", text)
    text.encode()


def test_what_was_written_is_shown_as_it_was(hostile):
    seen = "".join(Reader(hostile).text)
    for piece in ("<script>alert(1)</script>", "{{7*7}}{% raw %}", "⟨U+202E⟩", "⟨U+0000⟩", "… (1,000,000 characters)"):
        assert piece in seen


def test_sizes(plain, hostile):
    assert len(hostile.encode()) < 1_000_000
    assert len(page(report(number=45, runs=60)).encode()) < 550_000
    assert len(plain.encode()) < 250_000


def test_every_section_is_there_in_order(plain):
    heads = [re.sub(r"<[^>]*>", "", head) for head in re.findall(r"<h[23]>(.*?)</h[23]>", plain)]
    assert [head for head in heads if head in SECTIONS] == SECTIONS
    assert "<Macro" not in plain
    assert "None<" not in re.sub(r"<dd>.*?</dd>", "", plain)
    for word in ("harm", "utility", "fluency", "floor", "oracle"):
        assert f"<dt>{word}</dt>" in plain


def test_it_asks_nothing_of_anybody(plain):
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in plain
    assert "<script" not in plain
    assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org/)", plain)


def test_the_same_report_is_the_same_page():
    assert page(report(number=4, runs=2)) == page(report(number=4, runs=2))


def test_restricted_text_shows_only_if_asked():
    asked = report(show_text=True, number=4, runs=1)
    assert RESTRICTED in page(asked)
    hidden = page(dataclasses.replace(asked, show_text=False))
    assert RESTRICTED not in hidden
    assert "hidden: restricted text; <code>--show-text</code> shows it" in hidden


def test_a_gap_is_no_zero(plain):
    wards = re.search(r"<bdi>wards</bdi></th>(.*?)</tr>", plain, re.DOTALL)[1]
    cells = [re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", wards, re.DOTALL)]
    assert cells == ["0.00 [0.00, 0.02]", "0.93 [0.83, 1.00]", "\N{EN DASH} not measured", "0.31 [0.12, 0.50]"]


def test_several_models_are_compared():
    text = page(report(models=("one", "two", "three"), number=4, runs=1))
    read = Reader(text)
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {"compared", "model-1", "model-2", "model-3"} <= set(ids)
    links = {attributes["href"][1:] for tag, attributes in read.tags if tag == "a"}
    assert links <= set(ids)
    assert all(word in text for word in ("broken</span>", "holds</span>", "collapsed</span>"))


def test_a_report_of_nothing():
    """No verdict, or one in which nothing was measured, is a page all the same."""
    full = report()
    bare = dataclasses.replace(
        full.verdicts[0], findings=[], caveats=[], conditions=[], controls=[], multipliers=[], removal=None, curves=[],
        categories=[], free=[], generalization=[], left_out=[], generalization_curves=[], tasks=[], said=[], weak=[],
        failed=[], one_sided=[],
    )  # fmt: skip
    for verdicts in ([], [bare], [bare, bare]):
        Reader(page(dataclasses.replace(full, verdicts=verdicts, runs=[], floor=None, terms={}, threat_model=[])))
    free = [dataclasses.replace(full.verdicts[0].free[0], harm_after=GAP, broken=None)]
    assert "not measured" in page(dataclasses.replace(full, verdicts=[dataclasses.replace(bare, free=free)]))


def test_settings_by_hand():
    assert settings({"a": {"b": 0.1, "c": [1, None]}, "d": {}, "e": "x\ny"}) == [
        ("a.b", "0.1"), ("a.c", "[1, None]"), ("d", "{}"), ("e", "x⏎y"),
    ]  # fmt: skip
    many = settings({str(at): at for at in range(10_000)})
    assert (len(many), many[-1]) == (201, ("…", "more in the record itself"))


def test_a_page_takes_no_torch():
    code = (
        "import sys, holdfast.report.page, holdfast.report.card; "
        "print({'torch', 'transformers', 'matplotlib', 'huggingface_hub'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
