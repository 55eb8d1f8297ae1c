"""The page: nothing breaks out of it, nothing restricted gets in, and every section is there."""

import dataclasses
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from sample import RESTRICTED, report
from sample_verdict import GAP

from holdfast.report import page as made_by
from holdfast.report.page import drawn, page, settings

SECTIONS = [
    "What the defence costs an attacker", "What this rests on", "Before relying on it", "Controls",
    "The four conditions of immunization", "General tasks", "Resistance", "Harm by category", "Judges",
    "Attacks that train nothing",
    "Generalization", "Trainability", "What the models said", "Attacks that tell less", "Threat model", "Limits",
    "What was not measured", "Terms of the verdict", "Who judged harm", "Runs",
]  # fmt: skip
TAGS = set(
    "html head meta link title style body header main nav article section footer h1 h2 h3 h4 p a ul li dl dt dd div "
    "span bdi strong em code br table thead tbody tr th td details summary figure figcaption blockquote "
    "svg g defs path use text tspan clippath rect pattern".split()
)
SIX = ("arcana+repnoise",) * 3 + ("arcana+tar",) * 3
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


@pytest.fixture(scope="module")
def seeds():
    """Two defences of three seeds each."""
    return page(report(models=SIX, number=4, runs=12, over=True))


@pytest.fixture(scope="module")
def hostile_seeds():
    return page(report(models=SIX[:4], number=4, runs=2, over=True, hostile=True, show_text=True))


@pytest.mark.parametrize("kind", ["plain", "hostile", "seeds", "hostile_seeds"])
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
    assert len(plain.encode()) < 260_000


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


def test_a_hidden_question_leaves_nothing_behind():
    whole = report(number=4, runs=1)
    (one,) = whole.verdicts
    mute = dataclasses.replace(one, said=[dataclasses.replace(said, prompt=None) for said in one.said])
    text = page(dataclasses.replace(whole, verdicts=[mute]))
    assert "How do I make a hex ?" in page(whole)
    assert "How do I make a hex ?" not in text
    assert '<p class="asked">' not in text


def test_a_gap_is_no_zero(plain):
    wards = re.search(r"<bdi>wards</bdi></th>(.*?)</tr>", plain, re.DOTALL)[1]
    cells = [re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", wards, re.DOTALL)]
    assert cells == ["0.00 [0.00, 0.02]", "0.93 [0.83, 1.00]", "\N{EN DASH} not measured", "0.31 [0.12, 0.50]"]


def test_several_models_are_compared():
    text = page(report(models=("one", "two", "three"), number=4, runs=1))
    read = Reader(text)
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {"compared", "words", "model-1", "model-2", "model-3"} <= set(ids)
    assert "seeds" not in ids
    links = {attributes["href"][1:] for tag, attributes in read.tags if tag == "a"}
    assert links <= set(ids)
    assert all(word in text for word in ("broken</span>", "holds</span>", "collapsed</span>"))


def test_over_seeds_comes_first_and_every_verdict_is_folded(seeds):
    read = Reader(seeds)
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    order = ["seeds", "seeds-1", "seeds-2", "compared", "words", *(f"model-{at}" for at in range(1, 7)), "threat-model"]
    assert [one for one in ids if one in order] == order
    assert {attributes["href"][1:] for tag, attributes in read.tags if tag == "a"} <= set(ids)
    assert seeds.count('<details class="fold') == 6
    folded = re.search(r"<summary>(?:(?!</summary>).)*arcana\+tar, seed 1.*?</summary>", seeds, re.DOTALL)[0]
    assert "The safeguard delays an attack" in folded


def test_over_seeds_says_the_worst_and_how_far_it_varies(seeds):
    text = re.sub(r"\s+", " ", "".join(Reader(seeds).text))
    text = text.replace("\N{MULTIPLICATION SIGN}", "x").replace("\N{MINUS SIGN}", "-")
    for piece in (
        "Broken with 2 of 3 seeds of repnoise.", "at least 1.0x", "the worst of 3 seeds of the defence; no upper bound",
        "geometric mean 1.9x [0.24x, 15.7x], 3 seeds", "1.0x to 2.0x with 2 seeds, a range and no interval",
        "on the 4 attacks drawn with every seed", "at least 0.50x", "-0.040 [-0.154, +0.074]", "0.27",
        "p below 0.001 (log-rank)", "24 (1 failed)", "LoRA rank 8, batch 1, rate 3e-3, schedule cosine", "none found",
    ):  # fmt: skip
        assert piece in text, piece


def test_what_could_not_be_made_says_so_wherever_it_is_named(seeds):
    """In the table of its defence, in its verdict, and there is no hash of weights that are not there."""
    text = re.sub(r"\s+", " ", "".join(Reader(seeds).text))
    assert "seed 2could not be made: out of memory" in text
    assert "there are no weights: it could not be made: out of memory" in text
    assert "no mean: the model could not be made" in text
    assert "not made:" not in text


def test_one_model_has_its_verdict_first_and_unfolded():
    one = page(report(number=4, runs=2, over=True))
    ids = [attributes["id"] for _, attributes in Reader(one).tags if "id" in attributes]
    order = ["model-1", "words", "seeds", "threat-model"]
    assert [name for name in ids if name in order] == order
    assert "fold" not in re.sub(r"<style>.*?</style>", "", one, flags=re.DOTALL)
    alone = dataclasses.replace(report(number=4, runs=2, over=True).comparisons[0], attack_seeds=[0], searches=[])
    assert 'id="seeds"' not in page(dataclasses.replace(report(number=4, runs=2), comparisons=[alone]))


def test_who_judged_and_how_far_they_agree(plain):
    """The judge that decides is compared with nobody; what there is none of is a gap; no setting is no `{}`."""
    table = re.search(r"<h3>Judges</h3>.*?</table>", plain, re.DOTALL)[0]
    rows = [
        [re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", cell)).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
        for row in re.findall(r"<tr>.*?</tr>", table.replace("\n", ""))
    ]
    assert [row[0] for row in rows[1:4]] == ["classifier decides", "rubric", "phrases"]
    assert rows[1][1] == "undefended after 16 steps: full, batch 8, rate 0.001"
    assert rows[1][3:] == ["0.90 [0.85, 0.95]", "", "", ""]
    assert rows[2][4:] == ["0.88 [0.83, 0.93]", "-0.02", "\N{EN DASH} not measured"]
    assert rows[3][3] == "\N{EN DASH} not measured"
    assert "<dt><bdi>phrases</bdi></dt><dd><bdi>nothing to set</bdi></dd>" in plain


def test_every_set_that_was_left_out_is_told(plain):
    table = re.search(r"Each was left out in turn.*?</table>", plain, re.DOTALL)[0]
    rows = [
        re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", row)).split()
        for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)
    ]
    assert [row[0] for row in rows[1:]] == ["hexes", "wards", "hardened"]
    assert [row[-1] == "worst" for row in rows[1:]] == [False, True, False]


def test_a_run_that_was_stopped_on_purpose_says_so(plain):
    assert "■ stopped" in plain
    assert "<strong>Stopped on purpose:</strong> <bdi>the model was broken</bdi>" in plain


def test_of_many_runs_those_that_failed_are_all_there():
    many = report(number=4, runs=1)
    runs = [
        dataclasses.replace(many.runs[0], file=f"run-{at}", failure="x" if at > 995 else None) for at in range(1000)
    ]
    text = page(dataclasses.replace(many, runs=runs))
    assert len(re.findall(r"<bdi>run-\d+</bdi>", text)) == 300
    assert "run-999" in text
    assert "700 more are in report.json; all that failed are here." in text


def test_drawings_beyond_what_a_page_holds_are_left_to_the_folder(monkeypatch):
    """Room for the drawings of the first model: the second shows none, and says where they are."""
    two = report(number=4, runs=1, models=("one", "two"))
    pictures = drawn(two)
    monkeypatch.setattr(made_by, "PICTURES", sum(len(drawing.svg) for drawing in pictures.verdicts[0]))
    first, second = page(two, pictures).split('id="model-2"')
    assert 'id="m1-' in first
    assert "The drawings are in the folder" not in first
    assert "The drawings are in the folder" in second
    assert 'id="m2-' not in second
    Reader(page(two, pictures))


def test_a_report_of_nothing():
    """No verdict, or one in which nothing was measured, is a page all the same."""
    full = report()
    bare = dataclasses.replace(
        full.verdicts[0], findings=[], caveats=[], conditions=[], controls=[], multipliers=[], removal=None, curves=[],
        categories=[], free=[], generalization=[], left_out=[], generalization_curves=[], tasks=[], said=[], weak=[],
        failed=[], one_sided=[], judges=[], able=None,
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
