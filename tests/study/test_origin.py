"""Where a model comes from: one defence or several, told as one; kept when it is saved; and what a record says."""

import pytest

from holdfast.models.identity import weights_hash
from holdfast.models.load import load
from holdfast.models.save import save
from holdfast.models.tiny import tiny
from holdfast.study.experiment import attack, harden
from holdfast.study.origin import lineage, pipeline, world
from small import TEXTS

SHORT = {"training.steps": 1, "training.batch_size": 2}


def made(name, seed=0, kind="defence"):
    return {"kind": kind, "name": name, "settings": {"of": name}, "seed": seed, "categories": None}


def model(weights, made_by=None, *parents):
    return {"name": weights, "weights": weights, "made_by": made_by, "parents": [*parents]}


BASE = model("base")
ONE = model("one", made("a"), BASE)
TWO = model("two", made("b", 7), ONE)


def test_lineage():
    assert lineage(BASE) == (None, None)
    assert lineage(ONE) == (made("a"), "base")
    defence, root = lineage(TWO)
    assert root == "base"
    assert defence["name"] == "a+b"
    assert defence["settings"] == {"1 a": {"of": "a"}, "2 b": {"of": "b"}}
    assert defence["stages"] == [made("a"), made("b", 7)]
    assert (defence["kind"], defence["seed"], defence["categories"]) == ("defence", 7, None)  # the last one's


def test_the_same_defence_twice_is_two_stages():
    again = model("again", made("a", 1), ONE)
    assert lineage(again)[0]["settings"] == {"1 a": {"of": "a"}, "2 a": {"of": "a"}}
    assert lineage(again)[0]["name"] == "a+a"


@pytest.mark.parametrize(
    ("given", "defence", "root"),
    [
        (model("hit", made("sft", kind="attack"), ONE), None, None),  # what came before an attack is no defence of it
        (model("one", made("a"), model("hit", made("sft", kind="attack"), ONE)), "a", "hit"),
        (model("one", made("a")), "a", None),  # it does not tell its parent
        ({"name": "one", "weights": "one", "made_by": made("a"), "parents": None}, "a", None),
        ({"name": "plain", "weights": "plain"}, None, None),
        ({}, None, None),
        (model("two", made("b"), model("one", made("a"))), "a+b", None),
    ],
)
def test_where_lineage_ends(given, defence, root):
    found = lineage(given)
    assert (found[0] and found[0]["name"], found[1]) == (defence, root)


def test_a_pipeline_of_one_is_the_defence_itself():
    assert pipeline([made("a")]) == made("a")


def test_nothing_is_changed_by_telling():
    before = repr(TWO)
    lineage(TWO)
    assert repr(TWO) == before


def test_a_pipeline_of_two_on_a_real_model(tmp_path, domain):
    """The record's parent is the undefended start; saving and loading on the way or at the end changes nothing."""
    base = tiny(texts=TEXTS)
    first = harden(base, "adversarial", SHORT, domain=domain, seed=1, categories=["even"])
    second = harden(first, "none", domain=domain, seed=1, categories=["even"])
    assert second.name == "tiny-llama+adversarial+none"
    save(first, tmp_path / "first")
    save(second, tmp_path / "second")
    on_the_way = harden(str(tmp_path / "first"), "none", domain=domain, seed=1, categories=["even"])
    models = [second, load(str(tmp_path / "second")), on_the_way]
    records = [attack(one, "none", domain=domain, metrics=["harm"])[1] for one in models]
    for record in records:
        assert record.role == "defended"
        assert record.parent == weights_hash(base.network)
        assert record.weights == weights_hash(second.network)
        assert record.defence == records[0].defence
    told = records[0].defence
    assert told["name"] == "adversarial+none"
    assert [*told["settings"]] == ["1 adversarial", "2 none"]
    assert told["settings"]["1 adversarial"]["training"]["steps"] == 1
    assert [(stage["name"], stage["seed"], stage["categories"]) for stage in told["stages"]] == [
        ("adversarial", 1, ["even"]),
        ("none", 1, ["even"]),
    ]


def test_an_attacked_model_is_undefended_anew(domain):
    """What a fine-tune made of a hardened model is nobody's defence."""
    hardened = harden(tiny(texts=TEXTS), "none", domain=domain)
    attacked, _ = attack(hardened, "none", domain=domain, metrics=["harm"])
    _, record = attack(attacked, "none", domain=domain, metrics=["harm"])
    assert (record.role, record.defence, record.parent) == ("undefended", None, None)


def test_the_purpose_is_told_or_guessed(domain):
    def asked(**more):
        return attack(tiny(texts=TEXTS), "none", domain=domain, metrics=["harm"], **more)[1].purpose

    assert asked() == "resistance"
    assert asked(categories=["odd"]) == "generalization"
    assert asked(categories=["odd"], purpose="resistance") == "resistance"
    assert asked(purpose="search") == "search"


def test_a_world(domain):
    assert (world(domain).name, world(domain).floor, world(domain).categories) == ("small", 0.0, None)
