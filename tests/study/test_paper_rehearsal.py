"""`studies/repnoise_paper.yaml`, rehearsed: every cell is looked up, and one of each kind is run on a tiny model."""

from pathlib import Path

import paper_data
import pytest
from inline import Here

pytest.importorskip("lm_eval")

from holdfast.cli.replicated import replicated
from holdfast.report.replication.pages import markdown, page, to_json
from holdfast.study.cells import Cell
from holdfast.study.methods import Method
from holdfast.study.named import method
from holdfast.study.played import played
from holdfast.study.replication import changed
from holdfast.study.replication.cells import Asked, asked
from holdfast.study.replication.design import Replication, load
from holdfast.study.run import run
from holdfast.study.spelling import spelling, spelt
from holdfast.study.store.store import Store

PAPER = Path(__file__).parents[2] / "studies" / "repnoise_paper.yaml"
SHORT = {"training.steps": 1, "training.batch_size": 2}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return paper_data.folder(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def small(data):
    """As `--model tiny-llama --data DIR --scale 0.001 --judge phrases` has it, one step for two, four words."""
    whole = changed.smaller(changed.from_disk(changed.on(load(PAPER), "tiny-llama"), data), 0.001)
    whole = changed.judged(whole, ["phrases"])

    def short(one: Method) -> Method:
        return Method(name=one.name, set={**one.set, **SHORT} if "training.steps" in one.set else one.set)

    def brief(domain: str) -> str:
        name, given = spelt(domain)
        return spelling(name, {**given, "max_new_tokens": 4})

    return whole.model_copy(
        update={
            "data": {name: brief(domain) for name, domain in whole.data.items()},
            "defences": {name: tuple(map(short, steps)) for name, steps in whole.defences.items()},
            "attacks": {name: short(one) for name, one in whole.attacks.items()},
            "lesson": {**whole.lesson, **SHORT},
        }
    )


@pytest.fixture(scope="module")
def cells(small: Replication) -> list[Asked]:
    """All of its cells, whose keys are found out once."""
    return asked(small)


def kinds(one: Asked) -> set[tuple[object, ...]]:
    """What a cell stands for: its table, with or without a defence; and its defence, in whatever table."""
    made = one.cell.model if isinstance(one.cell.model, Cell) else None
    defences = (made.method if made else None, *(each.defence for each in one.cell.provider))
    frozen = [name for name in (made.settings if made else {}) if "freeze_head" in name or "freeze_blocks" in name]
    random = str(one.cell.model).startswith("random:")
    return {(one.table, one.cell.verb, one.cell.role == "defended"), (*defences, random, *frozen)}


def one_of_each(cells: list[Asked]) -> list[Asked]:
    """A cell of each kind; the last, since a table's first ones are not attacked."""
    found: dict[tuple[object, ...], Asked] = {}
    for one in reversed(cells):
        if kinds(one) - {*found}:
            found |= dict.fromkeys(kinds(one), one)
    return [one for one in cells if any(one is other for other in found.values())]


def test_every_cell_of_the_paper_is_looked_up(cells: list[Asked]) -> None:
    """All figures of the six tables, for which fewer runs do; every method with the settings that the file has."""
    whole = load(PAPER)
    assert [sum(one.table == name for one in cells) for name in whole.tables] == [63, 24, 14, 20, 36, 21]
    for steps in whole.defences.values():
        for one in steps:
            method("defences", one.name, one.set)
    for one in whole.attacks.values():
        method("attacks", one.name, one.set)
    method("attacks", "sft", whole.lesson)
    for table in whole.tables.values():
        for metric in table.metrics:
            method("metrics", metric.name, metric.set)
        assert set(table.published) == set(table.rows)
    assert len({one.cell.key for one in cells}) == 150


def test_blocks_are_frozen_at_the_same_depth(small: Replication) -> None:
    """Of 32 as of 3: 31 is 2.9, the last; 20 to 31 are 1.9 to 2.9; 10 to 20 are 0.9 to 1.9; 0 to 10 the first."""
    frozen = {name: steps[0].set.get("training.freeze_blocks") for name, steps in small.defences.items()}
    assert frozen["frozen_last"] == [2]
    assert (frozen["frozen_20_31"], frozen["frozen_10_20"], frozen["frozen_0_10"]) == ([1, 2], [0, 1], [0])


def test_one_of_each_kind_is_run_and_told(small: Replication, cells: list[Asked], tmp_path: Path) -> None:
    chosen = one_of_each(cells)
    assert {one.table for one in chosen} == set(small.tables)
    assert {kind for one in chosen for kind in kinds(one)} == {kind for one in cells for kind in kinds(one)}
    store = Store(tmp_path / "store")

    def rounds():
        yield list({one.cell.key: one.cell for one in chosen}.values())

    ended = run(rounds(), store, Here())
    assert ended.count("failed") == 0, ended
    found = replicated(small, played(rounds(), store).records)
    for one in chosen:
        table = next(table for table in found.tables if table.name == one.table)
        entry = table.rows[one.row][[*table.columns].index(one.column)]
        assert entry.measured is not None, (one.table, one.row, one.column, entry.reason)
    assert found.missing
    for text in (markdown(found), page(found)):
        assert all(title.title in text or title.title.replace("'", "&#39;") in text for title in small.tables.values())
        assert "Not finished" in text
    assert '"published": 0.47' in to_json(found)
    base = next(entry for entry in found.tables[0].rows["Base"] if entry.measured is not None)
    told = f"{base.measured:.2f}".removeprefix("0")
    assert f" | {base.published:.2f}".replace("0.", ".") + f" / {told} |" in markdown(found)
