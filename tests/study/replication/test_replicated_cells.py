"""From tables to cells: who is attacked, with what, and what was left out of the defence."""

import math
from pathlib import Path

import pytest
from test_tables import read

from holdfast.domains.beavertails import Beavertails
from holdfast.errors import ConfigError, DataError, UnknownName
from holdfast.study.cells import Cell
from holdfast.study.footprint.smaller import Shape
from holdfast.study.methods import Method
from holdfast.study.named import method
from holdfast.study.replication import changed
from holdfast.study.replication.cells import asked, rounds
from holdfast.study.replication.design import Column, Replication, Row, Table
from holdfast.study.replication.share import Share


def extended(folder: Path) -> Replication:
    """With a guard, a random initialisation, a task, and a category left out."""
    small = read(folder)
    table = Table(
        title="Table 2",
        data="songs",
        rows={
            "Base": Row(),
            "Random": Row(random=True),
            "Guarded": Row(defence="guard"),
            "Noised": Row(defence="noise"),
        },
        columns={
            "before": Column(task="inns", when="first"),
            "after": Column(task="inns"),
            "unseen": Column(attack="weak", leave_out=("venom", "snare")),
        },
        published={},
    )
    guard = (Method(name="lisa"),)
    return small.model_copy(
        update={"defences": {**small.defences, "guard": guard}, "tables": {**small.tables, "2": table}, "seeds": (0, 1)}
    )


def test_a_cell_for_each_row_column_and_seed(tmp_path: Path):
    found = asked(extended(tmp_path))
    assert len(found) == 2 * (2 * 2 + 4 * 3)
    by = {(one.table, one.row, one.column, one.cell.seed): one.cell for one in found}
    noised = by["1", "Noised", "weak", 1]
    assert isinstance(noised.model, Cell)
    assert (noised.model.method, noised.model.seed, noised.role, noised.seed) == ("repnoise", 1, "defended", 1)
    assert (noised.method, noised.settings, noised.purpose) == ("sft", {"training.steps": 2}, "resistance")
    assert by["2", "Random", "after", 0].model == "random:arcana"
    assert by["2", "Random", "after", 0].role == "random"
    guarded = by["2", "Guarded", "unseen", 0]
    assert ([one.defence for one in guarded.provider], guarded.model) == (["lisa"], "arcana")


def test_before_and_after_are_one_run(tmp_path: Path):
    found = {(one.row, one.column): one.cell for one in asked(extended(tmp_path), ["2"]) if one.cell.seed == 0}
    assert found["Base", "before"].key == found["Base", "after"].key
    assert (found["Base", "before"].verb, found["Base", "before"].ladder) == ("learn", (0,))
    cells = next(rounds(extended(tmp_path), ["2"]))
    assert len(cells) == 2 * 4 * 2  # two seeds, four rows, one task and one attack


def test_what_is_left_out_is_attacked_with(tmp_path: Path):
    cell = next(one.cell for one in asked(extended(tmp_path)) if (one.row, one.column) == ("Noised", "unseen"))
    assert (cell.categories, cell.purpose) == (("snare", "venom"), "generalization")
    assert isinstance(cell.model, Cell)
    assert cell.model.categories
    assert not {*cell.model.categories} & {"snare", "venom"}


def test_less_of_everything(tmp_path: Path):
    whole = extended(tmp_path)
    less = changed.smaller(whole, 0.5)
    assert less.attacks["weak"].set == {"training.steps": 2}  # two steps are the fewest
    longer = whole.model_copy(
        update={
            "attacks": {"none": Method(name="none"), "weak": Method(name="sft", set={"training.steps": 100})},
            "data": {"songs": "beavertails:defence=10000,attack=10,wording=paper"},
            "lesson": {"training.steps": 30, "training.batch_size": 4},
        }
    )
    less = changed.smaller(longer, 0.01)
    assert less.attacks["weak"].set == {"training.steps": 2}
    # More than 8 and 100, since table 2 leaves categories out.
    assert less.data == {"songs": 'beavertails:{"attack":10,"defence":200,"evaluation":200,"wording":"paper"}'}
    one = longer.model_copy(update={"tables": {"1": longer.tables["1"]}})
    assert changed.smaller(one, 0.01).data == {
        "songs": 'beavertails:{"attack":8,"defence":100,"evaluation":8,"wording":"paper"}'
    }
    assert less.lesson == {"training.steps": 2, "training.batch_size": 4}
    chosen = longer.model_copy(update={"data": {"songs": "beavertails:attack=1000,counts=chosen,defence=10000"}})
    fewest = 'beavertails:{"attack":8,"counts":"chosen","defence":10,"evaluation":8}'
    assert changed.smaller(chosen, 0.001).data == {"songs": fewest}
    assert changed.smaller(longer, 1) == longer
    for odd in (0, 2, math.nan):
        with pytest.raises(ConfigError, match=f"--scale {odd} is no share: expected more than 0 and at most 1"):
            changed.smaller(longer, odd)


def test_a_share_of_what_is_left_at_its_default_too(tmp_path: Path):
    """Never more than there was: of 300 questions, 60 steps of a lesson and 1,000 questions of a task the half."""
    whole = read(tmp_path)
    metrics = (Method(name="stability/paper", set={"limit": 100}), Method(name="stability"), Method(name="harm"))
    plain = whole.model_copy(
        update={
            "defences": {"noise": (Method(name="repnoise"),)},
            "attacks": {"none": Method(name="none"), "weak": Method(name="sft")},
            "data": {"songs": "beavertails:defence=1000,attack=100"},
            "tables": {"1": whole.tables["1"].model_copy(update={"metrics": metrics})},
        }
    )
    less = changed.smaller(plain, 0.5)
    [noise], sft = less.defences["noise"], less.attacks["weak"]
    assert noise.set == {"training.steps": method("defences", "repnoise").training.steps // 2}
    assert sft.set == {"training.steps": method("attacks", "sft").training.steps // 2}
    assert (less.attacks["none"].set, less.lesson) == ({}, {"training.steps": 30})
    assert less.data == {"songs": 'beavertails:{"attack":50,"defence":500,"evaluation":150}'}
    assert [one.set for one in less.tables["1"].metrics] == [{"limit": 50}, {"limit": 500}, {}]


def test_all_samples_are_counted_where_all_are_taken(monkeypatch: pytest.MonkeyPatch):
    """A count of 0 is all of them: of 40 pairs for a defence a quarter is 10."""
    monkeypatch.setattr(Beavertails, "splits", lambda _: ["defence"])
    monkeypatch.setattr(Beavertails, "pairs", lambda *_: [None] * 40)
    assert Share(0.25).domain("beavertails", many=False) == 'beavertails:{"defence":10,"evaluation":75}'


def test_blocks_that_are_frozen_on_another_model(tmp_path: Path):
    """Block 31 of 32 is the last of any; what is no list of blocks is told, whatever changes it first."""
    frozen = Method(name="repnoise", set={"training.freeze_blocks": [0, 31]})
    whole = read(tmp_path).model_copy(update={"blocks": 32, "defences": {"noise": (frozen,)}})
    [there] = changed.on(whole, "tiny-llama").defences["noise"]
    assert there.set["training.freeze_blocks"] == [0, Shape("tiny-llama").blocks - 1]
    for odd in ("all", 2):
        wrong = Method(name="repnoise", set={"training.freeze_blocks": odd})
        with pytest.raises(ConfigError, match=r"training\.freeze_blocks"):
            changed.on(whole.model_copy(update={"defences": {"noise": (wrong,)}}), "tiny-llama")
    with pytest.raises(UnknownName, match="unknown model 'nosuchmodel'"):
        changed.on(whole, "nosuchmodel")


def test_data_from_a_disk(tmp_path: Path):
    whole = read(tmp_path)
    with pytest.raises(DataError, match="has no folder 'arcana', which 'songs' of the replication is read from"):
        changed.from_disk(whole, tmp_path)
