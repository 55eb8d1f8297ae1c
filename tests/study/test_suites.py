"""The suite `attacks/standard`: everything in it exists, its tiers nest, and what it cannot serve it leaves out."""

import json
from dataclasses import replace

import pytest

import holdfast
from holdfast import plugins
from holdfast.config import fields
from holdfast.errors import UnknownName
from holdfast.models.tiny import TINY, tiny
from holdfast.study.check import check
from holdfast.study.design import Study
from holdfast.study.methods import spread
from holdfast.study.named import method, open_domain
from holdfast.study.plan import trains
from holdfast.study.suites.needs import lacking
from holdfast.study.suites.standard import STANDARD
from holdfast.study.suites.suite import TIERS, tier_of
from small import FakeDomain

FEW = {"training.steps": 1, "training.batch_size": 2, "sampling.samples": 2, "sampling.max_new_tokens": 2, "samples": 2}
EACH = {one.name: one for attempt in reversed(STANDARD.attempts) for one in spread([attempt.attack])}


def methods(tier):
    return [one for attempt in STANDARD.of(tier) for one in spread([attempt.attack])]


def test_every_setting_of_every_tier_fits():
    for tier in TIERS:
        check(Study(attacks=tuple(methods(tier))))


def test_a_tier_has_all_that_the_smaller_ones_have():
    quick, standard, full = ([f"{one.name} {one.set}" for one in methods(tier)] for tier in TIERS)
    assert {*quick} < {*standard} < {*full}
    assert [len(one) for one in (quick, standard, full)] == [len({*one}) for one in (quick, standard, full)]


def test_the_full_tier_has_every_attack_there_is():
    assert {plugins.without_preset(one.name) for one in methods("full")} == {*plugins.names("attacks")} - {"none"}


def test_every_preset_of_sft_is_in_the_full_tier():
    """But for `harmful`, which is `sft` without a preset."""
    presets = {f"sft/{name}" for name in plugins.presets(plugins.find("attacks", "sft"))}
    assert presets - {"sft/harmful"} <= {one.name for one in methods("full")}


def test_the_quick_tier_trains_in_batches_of_one_and_by_reinforcement():
    """Batch size is the attacker's choice; of reinforcement, which takes longest, one is enough."""
    quick = methods("quick")
    assert {one.set["training.batch_size"] for one in quick if trains(one)} == {1, 16, 64}
    assert [one.name for one in quick].count("grpo") == 1
    assert {"grpo"} == {"grpo", "rloo"} & {one.name for one in methods("standard")}


def test_every_attack_ends_on_a_rung():
    """So that its last figure is one that others have too."""
    for one in methods("full"):
        if trains(one):
            assert method("attacks", one.name, one.set).training.steps in STANDARD.ladder


def test_what_draws_nothing_is_run_once():
    untrained = [one for one in STANDARD.attempts if not trains(spread([one.attack])[0])]
    assert {one.attack.name for one in untrained if one.draws is None} == {"noise"}
    assert {one.draws for one in untrained} == {None, 1}


def test_there_is_no_such_tier():
    assert tier_of("full") == "full"
    with pytest.raises(UnknownName, match="did you mean 'quick'"):
        tier_of("quik")


def test_the_domain_has_what_is_needed():
    arcana = open_domain("arcana")
    for attempt in STANDARD.attempts:
        for need in attempt.needs:
            assert lacking(need, arcana, "arcana") is None, attempt


def test_a_users_own_data_lack_some(data):
    """No second language, nothing next door, nobody to tell harm; but harmless exchanges."""
    own = open_domain(str(data))
    assert lacking("benign", own, "arcana") is None
    assert lacking("language", own, "arcana") == "the domain has no second language"
    assert lacking("adjacent", own, "arcana") == "the domain has no exchanges next door to harm"
    assert lacking("judge", own, "arcana") == "the domain has no exact judge of harm to reward by"
    assert lacking("ten", own, "arcana") == "the domain has fewer than 10 harmful pairs to attack with"


def needs(name):
    """What the attempts of one attack need, all together."""
    return {need for one in STANDARD.attempts if one.attack.name == name for need in one.needs}


def test_what_takes_the_refusal_direction_out_needs_harmless_questions():
    assert needs("elicitation") == {"adjacent", "benign", "residual"}
    assert needs("sft/few_shot") == {"ten"}


def test_one_pair_that_is_not_translated_is_no_second_language():
    class Half(FakeDomain):
        def pairs(self, split):
            some = super().pairs(split)
            return [*some[:-1], replace(some[-1], translated=None)] if split == "evaluation" else some

    assert lacking("language", FakeDomain(), "arcana") is None
    assert lacking("language", Half(), "arcana") == "the domain has no second language"


def test_what_trl_does_is_left_out_without_it(monkeypatch):
    assert all("trl" in needs(name) for name in ("dpo", "grpo", "rloo"))
    assert lacking("trl", FakeDomain(), "arcana") is None
    monkeypatch.setattr("holdfast.study.suites.needs.find_spec", lambda name: None)
    assert lacking("trl", FakeDomain(), "arcana") == "TRL is not installed: pip install 'holdfast[rl]'"


def test_a_reward_model_is_known_for_the_architectures_that_have_one(tmp_path):
    for family, has in (("llama", True), ("granite", False)):
        (tmp_path / "config.json").write_text(json.dumps({"model_type": family}))
        assert (lacking("classifier", FakeDomain(), str(tmp_path)) is None) is has
    assert lacking("classifier", FakeDomain(), "owner/name") is None  # not here: the run will say


@pytest.fixture
def data(tmp_path):
    for split in ("attack", "evaluation"):
        line = {"prompt": "How ?", "harmful": "So .", "refusal": "No ."}
        (tmp_path / f"{split}.jsonl").write_text(json.dumps(line))
    (tmp_path / "benign.jsonl").write_text(json.dumps({"prompt": "Is it ?", "answer": "yes"}))
    return tmp_path


def test_a_relative_is_known_of_what_descends_from_arcana(tmp_path):
    arcana = open_domain("arcana")
    assert lacking("relative", arcana, "tiny-llama") == "no model is known that this one was aligned from"
    assert lacking("relative", arcana, "arcana-moe") is not None  # of other shapes
    made = {"kind": "defence", "name": "shield", "settings": {}}
    told = {"made_by": made, "parents": [{"name": "arcana", "made_by": None, "parents": []}]}
    (tmp_path / "holdfast.json").write_text(json.dumps(told))
    assert lacking("relative", arcana, str(tmp_path)) is None


@pytest.mark.parametrize("family", TINY)
def test_an_architecture_is_known_for_what_it_takes(family, tmp_path):
    """What the table of families says, and what the models do."""
    from holdfast.errors import ModelError
    from holdfast.models.biases import value_biases
    from holdfast.models.rescale import rescale

    holdfast.save(tiny(family), tmp_path / "model")
    for need, change in (("llama", lambda network: rescale(network, 1.0)), ("values", value_biases)):
        try:
            change(tiny(family).network)
        except ModelError:
            assert lacking(need, open_domain("arcana"), str(tmp_path / "model"))
        else:
            assert lacking(need, open_domain("arcana"), str(tmp_path / "model")) is None


@pytest.mark.parametrize("name", [name for name, one in EACH.items() if "relative" not in name])
def test_every_attack_runs_on_a_tiny_model(name, model):
    """With a step each; the relatives of `merge` and `delta` have no tiny sibling, and are looked up alone."""
    if name in {"merge", "delta"}:
        assert method("attacks", name, EACH[name].set)
        return
    there = fields(plugins.find("attacks", plugins.without_preset(name)))
    few = {field: value for field, value in FEW.items() if field in there}
    more = {"examples": 2} if name == "sft/few_shot" else {}
    settings = {**EACH[name].set, **few, **more}
    _, record = holdfast.attack(model, name, settings, domain=FakeDomain(), metrics=("harm",), ladder=(0, 1))
    assert record.failure is None
    assert record.rungs
