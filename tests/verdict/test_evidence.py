"""Reading a folder of records: which models are compared with which, and what is said of a folder that is no good."""

import json

import pytest

from holdfast.errors import DataError
from verdict.judged import evidence, judged, pair
from verdict.made import BASE, BREAKS, DEFENCE, HALF, HARD, HOLDS, folder, prompted, record, taught
from verdict.rooms import build, gathered, read


def refused(place, *words):
    """The folder is refused with one line that has all these words."""
    with pytest.raises(DataError) as caught:
        build(place)
    message = str(caught.value)
    assert [word for word in words if word not in message] == []
    assert "\n" not in message


def broken(place, **changes):
    """A folder whose one record is good but for some fields."""
    folder(place, *pair())
    path = place / "records" / "defended-1.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return place


def test_every_record_in_a_folder(tmp_path):
    found = read(folder(tmp_path, *pair()))
    assert list(found) == ["records/defended-1.json", "records/undefended-0.json"]
    assert list(found.values()) == list(reversed(pair()))


def test_a_record_beside_a_model(tmp_path):
    base, hard = pair()
    folder(tmp_path, base)
    (tmp_path / "models" / "attacked").mkdir(parents=True)
    (tmp_path / "models" / "attacked" / "record.json").write_text(json.dumps(hard.to_json()))
    (tmp_path / "models" / "attacked" / "config.json").write_text("{}")  # no record, and none of ours
    assert set(read(tmp_path)) == {"models/attacked/record.json", "records/undefended-0.json"}
    assert len(build(tmp_path).verdicts) == 1


def test_no_folder_and_an_empty_one(tmp_path):
    refused(tmp_path / "nowhere", "nowhere is not a folder", "holdfast quickstart")
    (tmp_path / "records").mkdir()
    refused(tmp_path, "holds no record", "records/*.json", "holdfast attack")


@pytest.mark.parametrize("text", ["", "{", "no JSON", "[]", "null", "\udcff"])
def test_a_file_that_is_no_record(tmp_path, text):
    folder(tmp_path, *pair())
    (tmp_path / "records" / "odd.json").write_bytes(text.encode(errors="surrogateescape"))
    refused(tmp_path, "odd.json is not a record", "make it anew, or take it away")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"role": "hardened"}, ["role: ", "'defended'"]),
        ({"seed": "seven"}, ["seed: ", "integer"]),
        ({"rungs": [{"budget": {"steps": 1}, "scores": {}}]}, ["rungs.0.budget.samples: "]),
        ({"rungs": 3}, ["rungs: "]),
        ({"format": 99}, ["format 99"]),
    ],
)
def test_a_field_that_is_wrong_is_named(tmp_path, changes, words):
    refused(broken(tmp_path, **changes), "defended-1.json is not a record", "make it anew, or take it away", *words)


def test_a_field_that_is_missing_is_named(tmp_path):
    folder(tmp_path, *pair())
    path = tmp_path / "records" / "defended-1.json"
    path.write_text(json.dumps({key: value for key, value in json.loads(path.read_text()).items() if key != "weights"}))
    refused(tmp_path, "defended-1.json", "weights: ")


def test_the_same_attack_twice(tmp_path):
    other = record("defended", BREAKS)
    refused(folder(tmp_path, *pair(), other), "defended-1.json", "defended-2.json", "take one away")


def test_the_same_record_twice_is_one(tmp_path):
    """`attack -o DIR --record FILE` writes it beside the model too."""
    assert len(read(folder(tmp_path, *pair(), pair()[1]))) == 2


def test_a_defence_that_changes_nothing_is_compared_with_its_parent():
    """Its weights are the base's, and so are the records' keys; the role tells which is which."""
    base, hard = record("undefended", BREAKS), record("defended", BREAKS, weights=BASE)
    found = evidence(base, hard)
    assert (found.attacks["undefended"], found.attacks["defended"]) == ([base], [hard])


def test_of_two_parents_one_must_be_known():
    strange = record("undefended", BREAKS, weights="5trange", model="another")
    with pytest.raises(DataError, match="does not tell which model it was made from"):
        gathered([*pair(parent=None), strange])


def test_another_seed_task_or_half_is_not_the_same_attack(tmp_path):
    records = [record("defended", HOLDS, categories=[name]) for name in ("hex", "petard")]
    records += [taught("defended", 1, task=name) for name in ("inns", "voyages")]
    assert len(read(folder(tmp_path, *pair(), *records, record("defended", HOLDS, seed=1)))) == 7


def test_no_hardened_model(tmp_path):
    refused(folder(tmp_path, record("undefended", BREAKS)), "no record is of a hardened model", "holdfast harden")


def test_several_data_sets(tmp_path):
    refused(folder(tmp_path, *pair(), record("oracle", HOLDS, data="0ther")), "several data sets", "folder of its own")


def test_two_hardened_models_are_two_verdicts(tmp_path):
    """One set of records of the base serves both."""
    other = record("defended", BREAKS, weights="0ther", model="base+another", defence={**DEFENCE, "name": "another"})
    made = build(folder(tmp_path, *pair(), other))
    assert [(one.model, one.outcome) for one in made.verdicts] == [("base+another", "broken"), ("base+shield", "holds")]
    assert [one.defence["name"] for one in made.verdicts] == ["another", "shield"]
    assert made.title == "base+another and base+shield"


def test_another_parents_base_is_not_compared_with():
    """The hardened model was made from the base, and not from that other undefended one."""
    stranger = record("undefended", (0, 0.9, 0.9, 0.9, 0.9, 0.9), weights="5tranger", rate=3e-3)
    found = evidence(*pair(), stranger)
    assert [one.weights for one in found.attacks["undefended"]] == [BASE]


def test_another_models_random_initialisation_is_no_control():
    own, other, any_name = (record("random", 0.05, model=name) for name in ("random:base", "random:other", "drawn"))
    found = evidence(*pair(), own, other, any_name)
    assert {one.model for one in found.attacks["random"]} == {"random:base", "drawn"}


def test_without_a_known_parent_any_base_is_compared_with():
    base, hard = pair(parent=None)
    assert evidence(base, hard).attacks["undefended"] == [base]


def test_another_seeds_base_is_not_compared_with():
    """The hardened model was attacked with seed 0 only."""
    found = evidence(*pair(), record("undefended", BREAKS, seed=1), record("oracle", HOLDS, seed=1))
    assert [one.seed for one in found.attacks["undefended"]] == [0]
    assert found.attacks["oracle"] == []


def test_attacks_by_what_they_cost():
    """Those that train, those that do not, and those that are lessons."""
    found = evidence(*pair(), prompted("defended", 0.1), taught("defended", 1))
    assert [len(group["defended"]) for group in (found.attacks, found.free)] == [1, 1]
    assert found.unseen == []
    assert list(found.lessons) == ["inns"]
    assert len(found.all("defended")) == 2


def half(**defence):
    """The sibling that was shown hex alone, attacked with petard; some of what made it may differ."""
    return record("defended", HOLDS, categories=["petard"], weights=HALF, defence={**DEFENCE, "categories": ["hex"],
                                                                                    **defence})  # fmt: skip


def test_a_half_shown_sibling_is_found_by_how_it_was_made():
    base = record("undefended", BREAKS, categories=["petard"])
    found = evidence(*pair(), half(), base)
    (unseen,) = found.unseen
    assert unseen.categories == ("petard",)
    assert [one.weights for one in unseen.attacks["defended"]] == [HALF]
    assert unseen.attacks["undefended"] == [base]
    assert [one.weights for one in found.attacks["defended"]] == [HARD]


@pytest.mark.parametrize("defence", [{"name": "another"}, {"settings": {"strength": 3}}, {"seed": 1}])
def test_what_was_made_otherwise_is_no_sibling(defence):
    assert evidence(*pair(), half(**defence)).unseen == []


def test_what_was_shown_is_not_unseen():
    """Shown all, or petard among others, and attacked with petard: no generalization."""
    for shown in (None, ["hex", "petard"]):
        assert evidence(*pair(), half(categories=shown)).unseen == []


def test_each_set_that_was_left_out_stands_by_itself():
    """Attacked with petard after hex alone, and with hex after petard alone: the worse of the two decides."""
    other = record("defended", (0, 0.5, 0.6, 0.6, 0.6, 0.6), categories=["hex"], weights="0the",
                   defence={**DEFENCE, "categories": ["petard"]})  # fmt: skip
    bases = [record("undefended", BREAKS, categories=[name]) for name in ("hex", "petard")]
    records = [*pair(), half(), other, *bases]
    for given in (records, records[::-1]):
        assert {one.categories for one in evidence(*given).unseen} == {("hex",), ("petard",)}
        found = judged(*given)
        assert found.left_out == ["hex"]
        # Broken at 1 step, which is the least there is; undefended at 2: at least 1 / 2.
        assert found.generalization[0].low == 0.5


def test_a_half_shown_model_alone_gives_no_verdict():
    with pytest.raises(DataError, match="no record is of a hardened model"):
        gathered([half(), record("undefended", BREAKS, categories=["petard"])])


def test_attacks_stand_in_an_order_that_a_reader_follows():
    """Full before LoRA, small batches first, rates from low to high; whatever the order of the files."""
    kinds = [(0, 1, 1e-3), (0, 1, 3e-3), (0, 16, 1e-4), (8, 1, 1e-3)]
    records = [record("defended", HOLDS, lora=lora, batch=batch, rate=rate) for lora, batch, rate in kinds]
    for given in (records, records[::-1]):
        assert evidence(record("undefended", BREAKS), *given).attacks["defended"] == records
