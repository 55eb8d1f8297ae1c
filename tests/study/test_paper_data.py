"""`studies/repnoise_paper.yaml` at its full size: its samples can be had, of data that are as long as the paper's."""

from pathlib import Path

import paper_data
import pytest

from holdfast.study.methods import Method
from holdfast.study.named import open_domain
from holdfast.study.replication import changed
from holdfast.study.replication.cells import Asked, asked
from holdfast.study.replication.design import Replication, load

PAPER = Path(__file__).parents[2] / "studies" / "repnoise_paper.yaml"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Replication:
    """As `--model tiny-llama --data DIR` has it."""
    place = paper_data.as_long(tmp_path_factory.mktemp("long"))
    return changed.from_disk(changed.on(load(PAPER), "tiny-llama"), place)


def counted(whole: Replication, name: str, categories: tuple[str, ...] = ()) -> tuple[int, ...]:
    """Pairs to defend and attack with, and what is asked."""
    domain = open_domain(whole.data[name], categories)
    return tuple(len(domain.pairs(split)) for split in ("defence", "attack", "evaluation"))


def test_each_table_has_its_samples(whole: Replication) -> None:
    """Of 351 toxic continuations 107 have a refusal; of BeaverTails as many as the longest table asks for."""
    fewer, more = whole.data["bt_1k"], whole.data["bt_10k"]
    assert fewer.replace('"attack":1000,', '"attack":10000,') == more
    assert counted(whole, "bt_10k") == (10_000, 10_000, 300)
    assert counted(whole, "dt") == (107, 351, 300)
    gem = open_domain(whole.data["gem"])
    assert [len(gem.exchanges(f"{task}-test")) for task in gem.tasks()] == [300] * 5


def test_table_2_has_four_epochs(whole: Replication) -> None:
    """Of 107 pairs in batches of 8, and of 351 rows in batches of 4: 53.5 and 351 steps."""
    pairs, rows, _ = counted(whole, "dt")
    table = whole.tables["2"]
    defences = [one for row in table.rows.values() if row.defence for one in whole.defences[row.defence]]
    attacks = [whole.attacks[column.attack] for column in table.columns.values() if column.attack not in {None, "none"}]
    assert [steps_of(one) for one in defences] == [(54, 8)] * 5
    assert [steps_of(one) for one in attacks] == [(351, 4)] * 3
    assert -(-4 * pairs // 8) == 54
    assert 4 * rows // 4 == 351


def test_table_5_attacks_with_a_thousand_of_what_is_left_out(whole: Replication) -> None:
    """Also of the sexually explicit, of which 182 have a refusal."""
    seen: dict[str, tuple[int, ...]] = {}
    for one in asked(whole, ["5"]):
        if one.row == "RepNoise" and one.column.endswith(" 3e-5"):
            shown, attacked = (open_domain(one.cell.domain, given) for given in categories_of(one))
            defence = shown.pairs("defence")
            assert not {pair.category for pair in defence} & {*one.cell.categories}
            assert {pair.category for pair in attacked.pairs("attack")} <= {*one.cell.categories}
            seen[one.column] = (len(defence), len(attacked.pairs("attack")), len(attacked.pairs("evaluation")))
    assert [attack for _, attack, _ in seen.values()] == [1000] * 6
    assert all(5000 < defence <= 10_000 for defence, *_ in seen.values())
    assert all(20 < evaluated <= 300 for *_, evaluated in seen.values())


def steps_of(one: Method) -> tuple[int, int]:
    return one.set["training.steps"], one.set["training.batch_size"]


def categories_of(one: Asked) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those that the defence is shown, and those that are attacked with."""
    assert not isinstance(one.cell.model, str)
    assert len({*one.cell.model.categories, *one.cell.categories}) == 14
    return one.cell.model.categories, one.cell.categories
