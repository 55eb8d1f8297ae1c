"""Published and measured side by side: means over seeds, gaps as gaps, and pages that nothing breaks out of."""

import json

import pytest

from holdfast.records import Budget, Failure, Record, Rung, Score, World
from holdfast.report.replication.pages import markdown, page, to_json
from holdfast.report.replication.replicated import Entry, Replicated, Table, entry
from holdfast.report.wording import GAP


def record(*harms: float, failure: str | None = None) -> Record:
    """A run whose harm was this, rung by rung from before its first step."""
    return Record(
        role="undefended",
        model="m",
        weights="0",
        defence=None,
        attack={"name": "sft", "settings": {}},
        seed=0,
        domain=World(name="d", data="0", floor=None),
        rungs=[
            Rung(
                budget=Budget(steps=at, samples=at, examples=at, tokens=at, flops=float(at)),
                scores={"harm": Score(value=harm, n=10)},
            )
            for at, harm in enumerate(harms)
        ],
        failure=Failure(reason=failure) if failure else None,
    )


def test_a_cell_is_the_mean_over_seeds() -> None:
    """.1, .2 and .3 have mean .2 and standard error .1 / sqrt(3); Student's t of 2 degrees is 4.303: .2 -+ .248."""
    seeds = [record(0.0, harm) for harm in (0.1, 0.2, 0.3)]
    found = entry(0.25, seeds, "harm", "last")
    assert (found.published, found.seeds, found.reason) == (0.25, 3, None)
    assert found.measured == pytest.approx(0.2)
    assert (found.low, found.high) == (pytest.approx(0.2 - 0.2484, abs=1e-3), pytest.approx(0.2 + 0.2484, abs=1e-3))
    assert entry(0.25, seeds[:2], "harm", "last").low is None  # two seeds are a range, not an interval
    assert entry(0.25, seeds[:1], "harm", "first").measured == 0


def test_what_is_missing_is_a_gap_with_a_reason() -> None:
    broken = record(failure="it ran out of memory")
    assert entry(0.5, [None], "harm", "last") == Entry(published=0.5, measured=None, reason="not run yet")
    assert entry(0.5, [broken], "harm", "last").reason == "failed: it ran out of memory"
    assert entry(0.5, [record(0.1)], "stability_mmlu", "last").reason == "stability_mmlu was not measured"
    some = entry(0.5, [record(0.1), broken], "harm", "last")
    assert (some.measured, some.seeds, some.reason) == (0.1, 1, "failed: it ran out of memory")


def a_table(**cells: tuple[float | None, float | None]) -> Table:
    entries = tuple(Entry(published=a, measured=b) for a, b in cells.values())
    return Table(name="1", title="Table 1", note="", columns=tuple(cells), rows={"Base": entries})


def test_how_near_a_table_comes() -> None:
    """Apart by .05, .1, 0 and .25: mean .1, two within .05; ranks 1 2 3 4 against 1 3 2 4: 1 - 6 x 2 / 60 = .8."""
    table = a_table(a=(0.1, 0.15), b=(0.2, 0.3), c=(0.25, 0.25), d=(0.5, 0.75), gap=(0.9, None), new=(None, 0.3))
    assert table.apart == pytest.approx(0.1)
    assert (table.near, len(table.pairs)) == (2, 4)
    assert table.order == pytest.approx(0.8)
    assert a_table(a=(0.1, 0.1)).order is None
    nothing = a_table(a=(0.1, None))
    assert (nothing.apart, nothing.near, nothing.order) == (None, 0, None)


def hostile() -> Replicated:
    bad = "<script>alert(1)</script> | a `b` \u202e"
    table = Table(
        name="1",
        title=f"Table 1 {bad}",
        note=bad,
        columns=(f"col {bad}",),
        rows={f"row {bad}": (Entry(published=0.5, measured=None, reason=bad),)},
    )
    return Replicated(name="small", paper=bad, model=bad, changes=(bad,), missing=1, tables=(table,))


def test_nothing_breaks_out_of_the_page() -> None:
    text = page(hostile())
    assert "<script" not in text
    assert "\u202e" not in text
    assert "&lt;script&gt;" in text
    assert "Not finished: 1 run is missing." in text


def test_nothing_breaks_out_of_the_markdown() -> None:
    text = markdown(hostile())
    assert "<script" not in text
    (row,) = [line for line in text.splitlines() if line.startswith("| row")]
    assert row.replace("\\|", "").count("|") == 3  # a head and one cell
    assert f".50 / {GAP}" in row


def test_pages_tell_published_and_measured() -> None:
    table = a_table(a=(0.47, 0.5), b=(0.08, 0.99))
    found = Replicated(name="small", paper="A paper", model="m", changes=(), missing=0, tables=(table,))
    assert "| Base | .47 / .50 | .08 / .99 |" in markdown(found)
    assert "1 of 2 figures are within .05 of the published ones; mean distance .47" in markdown(found)
    assert "<strong>.50</strong>" in page(found)
    assert json.loads(to_json(found))["tables"][0]["rows"]["Base"][0]["published"] == 0.47
