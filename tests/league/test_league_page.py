"""The table as Markdown, and its drawing: whole, unfinished, and with names that want to break out."""

import dataclasses
import re
import xml.etree.ElementTree as ET

import pytest

from holdfast.errors import ConfigError, OutputError
from holdfast.report.drawings.front import front, open_above
from holdfast.report.league.gather import league
from holdfast.report.league.markdown import markdown
from holdfast.report.league.write import check, to_verdict, write
from verdict.made import BREAKS, HOLDS, prompted, record
from verdict.rooms import judged_all
from verdict.seeded import curve, hardened, paper, unmade

GAP, X = "\N{EN DASH}", "\N{MULTIPLICATION SIGN}"
COMMAND = "holdfast study table studies/gallery.yaml --tier quick"
HOSTILE = "a|b<script>alert(1)</script>\n# c [d](javascript:e) `f` \u202e https://evil.example"


def made(*records, missing=0, asked=None, absent=()):
    found = {f"records/{number}.json": one for number, one in enumerate(records)}
    report = judged_all(found, missing=missing, asked=asked)
    return league(report, found, study="gallery", missing=missing, absent=absent)


def lines(text, name):
    """The cells of the rows of a name, table by table."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if f"| {name}" in line]


@pytest.fixture(scope="module")
def several():
    """Wall holds, shield breaks, sieve could not be made."""
    return made(
        record("undefended", BREAKS),
        prompted("undefended", 0.2),
        record("defended", HOLDS, **hardened(0, "wall"), utility=0.81),
        record("defended", curve(5), **hardened(0)),
        *unmade(0, model="base+sieve", defence=hardened(0, "sieve")["defence"])[:1],
    )


def test_a_row_in_words():
    text = markdown(made(*paper()), command=COMMAND)
    assert text.startswith(
        "# Defences compared: study gallery\n\nMade by `holdfast study table studies/gallery.yaml --tier"
    )
    summary, steps, flops = lines(text, "shield")
    assert summary == [
        "1", "shield", "3", "broken", f"at least 1.0{X}, at most 3.0{X}",
        f"at least 1.9{X} \\[0.24{X}, 15.7{X}\\], 3 seeds", "0.90", GAP, "0.96", "0.90", GAP, "not measured", GAP,
    ]  # fmt: skip
    assert steps[1:] == ["0.00", "0.10", "0.10", "0.90", "0.90", "0.90"]
    assert flops[1:] == ["0.10", "0.10", "0.90", "0.90"]
    (base, *_) = lines(text, "base, undefended")
    assert base[:5] == ["", "base, undefended", GAP, GAP, "1, by definition"]
    for told in ("guessing gives 0.000", "harm of 0.3 or more", "[what a verdict means](docs/verdict.md)"):
        assert told in text
    assert "- **Failed:** none" in text


def test_what_is_not_known_is_a_dash_and_says_why(several):
    text = markdown(several, command=COMMAND)
    (sieve, attacks, steps, flops) = lines(text, "sieve")
    why = "no multiplier: the model could not be made: out of memory"
    assert sieve[2:] == ["1", "inconclusive", why, *[GAP] * 6, "not measured", GAP]
    assert set(attacks[1:]) == set(steps[1:]) == set(flops[1:]) == {GAP}
    assert "- sieve: seed 0: the model could not be made: out of memory" in text
    assert "  - base+sieve" in text or "**Failed:** base+sieve" in text


def test_every_table_has_as_many_cells_in_each_row(several):
    unfinished = made(*paper(), missing=2, asked=4)  # of one attack, so that there is no table of attacks
    for text, count in ((markdown(several, command=COMMAND), 4), (markdown(unfinished, command=COMMAND), 3)):
        tables = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
        assert len(tables) == count
        for table in tables:
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_an_unfinished_study_says_so_in_its_first_line():
    text = markdown(made(*paper(), missing=2, asked=4, absent=["base+moat"]), command=COMMAND)
    assert text.startswith(
        "# Defences compared: study gallery, not finished: 2 cells are missing\n\n**The study is not"
    )
    assert "Nothing is there yet of base+moat." in text
    assert lines(text, "shield")[0][2] == "3 of 4"
    one = markdown(made(record("undefended", BREAKS), record("defended", HOLDS), missing=1, asked=2), command=COMMAND)
    assert "not finished: 1 cell is missing" in one
    assert lines(one, "shield")[0][3] == "inconclusive"  # nothing is said to hold


def test_names_cannot_break_out():
    told = hardened(0, HOSTILE)
    found = made(
        record("undefended", BREAKS, model=HOSTILE),
        record("defended", (0, 0.1), failed=HOSTILE, batch=4, **told), record("defended", HOLDS, **told),
    )  # fmt: skip
    found = dataclasses.replace(found, study=HOSTILE, domain=HOSTILE)
    text = markdown(found, command=f"holdfast study table '{HOSTILE}'")
    assert "<script" not in text
    assert "\u202e" not in text
    assert "](javascript" not in text.replace("\\]", "")
    assert "://evil" not in text
    assert not re.search(r"^# c", text, flags=re.MULTILINE)
    for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
    drawing = front(found.sections[0].rows, 0.05)
    assert drawing is not None
    assert "<script" not in drawing.svg
    ET.fromstring(drawing.svg)


def test_the_files(several, tmp_path):
    """Table and drawing beside it; done again, they are the same bytes; the link leads to the page on verdicts."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "verdict.md").write_text("# What a verdict means\n")
    path = tmp_path / "docs" / "results" / "gallery of.md"
    written = write(several, path, COMMAND)
    assert [one.name for one in written] == ["gallery of.md", "gallery of.svg"]
    first = [one.read_bytes() for one in written]
    assert b"](gallery%20of.svg)" in first[0]
    assert b"](../verdict.md)" in first[0]
    assert (write(several, path, COMMAND), [one.read_bytes() for one in written]) == (written, first)
    assert sorted(one.name for one in path.parent.iterdir()) == ["gallery of.md", "gallery of.svg"]
    assert to_verdict(tmp_path.parent) == "docs/verdict.md"


def test_where_it_cannot_be_written(tmp_path):
    for name in ("table.svg", "table", "table.html"):
        with pytest.raises(ConfigError, match="no name for Markdown"):
            check(tmp_path / name)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        check(tmp_path / "file" / "table.md")


def test_the_drawing(several):
    """Numbers as in the table; what has no multiplier is named and has no point; open where nothing broke it."""
    rows = several.sections[0].rows
    drawing = front(rows, 0.05)
    assert drawing is not None
    root = ET.fromstring(drawing.svg)
    texts = [one.text for one in root.iter() if one.tag.endswith("}text")]
    assert [text for text in texts if text and re.match(r"\d  ", text)] == [
        "1  wall", "2  shield", "3  sieve (no M or utility)",
    ]  # fmt: skip
    assert [open_above(row) for row in rows] == [True, False, False]
    assert drawing.svg == front(rows, 0.05).svg  # type: ignore[union-attr]
    assert front(rows[2:], 0.05) is None
