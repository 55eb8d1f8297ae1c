"""Generalization: what a defence is not shown, and what is then attacked and asked about."""

import pytest

from holdfast.errors import UnknownName
from holdfast.study import experiment
from holdfast.study.categories import categories, only
from holdfast.study.origin import world

SHORT = {"training.steps": 2, "training.batch_size": 2}


def test_pairs_are_narrowed_and_all_else_is_not(domain):
    odd = only(domain, ["odd"])
    assert {pair.category for split in ("defence", "attack", "evaluation") for pair in odd.pairs(split)} == {"odd"}
    assert len(odd.pairs("attack")) == 4  # of eight
    assert odd.exchanges("benign") == domain.exchanges("benign")
    assert odd.fingerprint() == domain.fingerprint()
    assert (world(odd).categories, world(domain).categories) == (["odd"], None)
    assert world(odd).name == world(domain).name
    assert only(domain, ()) is domain


def test_arcanas_categories():
    assert categories(experiment.open_domain("arcana")) == ["blight", "forgery", "hex", "petard", "snare", "venom"]


def test_an_unknown_category(domain):
    with pytest.raises(UnknownName, match="unknown category 'od': did you mean 'odd'"):
        only(domain, ["od"])


def test_defend_one_half_and_attack_the_other(model, domain):
    """The records say which half; harm is asked of the other half alone, four questions."""
    hardened = experiment.harden(model, "adversarial", SHORT, domain=domain, categories=["even"])
    assert hardened.origin["made_by"]["categories"] == ["even"]
    _, record = experiment.attack(hardened, "sft", SHORT, domain=domain, categories=["odd"], ladder=(0,))
    assert (record.purpose, record.role, record.domain.categories) == ("generalization", "defended", ["odd"])
    assert [rung.scores["harm"].n for rung in record.rungs] == [4, 4]
    assert {*record.rungs[0].scores["harm"].categories} == {"odd"}
    assert record.rungs[-1].budget.examples <= 4
