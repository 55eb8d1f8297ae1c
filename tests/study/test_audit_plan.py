"""What an audit is to run: which models, which attacks, in which order, and what stops it at once."""

import json
from pathlib import Path

import pytest
from inline import Here

import holdfast
from holdfast.errors import ConfigError, DataError, InputError, ModelError
from holdfast.models.tiny import tiny
from holdfast.records import Failure
from holdfast.study import audit, audit_rounds
from holdfast.study.descent import eldest, hardened_from
from holdfast.study.methods import Method
from holdfast.study.played import played
from holdfast.study.run import run
from holdfast.study.store.store import Store
from holdfast.study.suites.suite import TIERS, Attempt, Size, Suite

WEIGHTS = json.loads((Path(holdfast.__file__).parent / "models/organisms/arcana/holdfast.json").read_text())["weights"]


def small(*attempts: Attempt, draws: int = 1, widen: int = 0) -> Suite:
    """A suite of one attack that trains and one that does not, unless others are given."""
    usual = (
        Attempt(attack=Method(name="sft", set={"training.steps": 1, "training.batch_size": 2}), tier="quick"),
        Attempt(attack=Method(name="prefill"), tier="quick", draws=1),
    )
    sizes = {tier: Size(draws=draws, widen=widen) for tier in TIERS}
    return Suite(name="attacks/small", version="1", ladder=(0, 1, 2), sizes=sizes, attempts=attempts or usual)


def descendant(place, name="arcana", weights=WEIGHTS, kind="defence"):
    """A folder that says it was made from a model; its weights are a tiny model's."""
    holdfast.save(tiny(), place)
    told = json.loads((place / "holdfast.json").read_text())
    parent = {"name": name, "weights": weights, "made_by": None, "parents": []}
    made = {"kind": kind, "name": "shield", "settings": {}, "seed": 0}
    (place / "holdfast.json").write_text(json.dumps({**told, "made_by": made, "parents": [parent]}))
    return str(place)


def battery(asked):
    """All cells that are known from the start."""
    rounds = audit_rounds.rounds(asked)
    first = next(rounds)
    return first, [cell for name, role in asked.subjects for cell in audit_rounds._battery(asked, name, role)]


def test_an_organism_is_judged_alone():
    asked = audit.planned("arcana", suite=small())
    assert (asked.base, asked.role) == (None, "undefended")
    assert asked.subjects == [("arcana", "undefended"), ("arcana-filtered", "oracle")]


def test_the_base_is_what_the_model_says(tmp_path):
    model = descendant(tmp_path / "hard")
    asked = audit.planned(model, suite=small())
    assert asked.subjects == [(model, "defended"), ("arcana", "undefended"), ("arcana-filtered", "oracle")]
    assert "made from arcana" in asked.notes[0]


@pytest.mark.parametrize(("name", "weights"), [("../gone", "5e1f"), ("arcana", "not those of arcana")])
def test_a_base_that_is_not_here_leaves_it_alone(tmp_path, name, weights):
    """Gone, or another model by now: still a hardened one."""
    asked = audit.planned(descendant(tmp_path / "hard", name, weights), suite=small())
    assert (asked.base, asked.role) == (None, "defended")
    assert "name it with --base" in asked.notes[0]


def test_what_was_fine_tuned_is_no_hardened_model(tmp_path):
    model = descendant(tmp_path / "tuned", kind="attack")
    assert (hardened_from(model), eldest(model)) == (None, "arcana")
    assert audit.planned(model, suite=small()).subjects == [(model, "undefended"), ("arcana-filtered", "oracle")]


def test_a_model_of_unknown_making_is_a_defended_version_if_one_says_so():
    asked = audit.planned("tiny-llama", base="tiny-qwen2", suite=small())
    assert asked.subjects == [
        ("tiny-llama", "defended"),
        ("tiny-qwen2", "undefended"),
        ("random:tiny-qwen2", "random"),  # no oracle is known of it
    ]
    assert audit.planned("tiny-llama", oracle="tiny-gemma", suite=small()).subjects[-1] == ("tiny-gemma", "oracle")
    assert audit.planned("arcana-filtered", suite=small()).control == "random:arcana-filtered"


def test_an_attack_that_cannot_be_served_is_left_out():
    one = Attempt(attack=Method(name="merge", set={"relative": "arcana-raw"}), tier="quick", needs=("relative",))
    two = Attempt(attack=Method(name="prefill"), tier="quick")
    asked = audit.planned("tiny-llama", suite=small(one, two))
    assert asked.left_out == {"merge": "no model is known that this one was aligned from"}
    assert {cell.method for cell in battery(asked)[1]} == {"prefill"} - {None}


def test_a_variant_that_is_left_out_is_told_by_its_settings(tmp_path):
    """Plain fine-tuning is run on a GPT-2; what needs blocks as Llama's is not."""
    plain = Attempt(attack=Method(name="sft"), tier="quick")
    scaled = Attempt(attack=Method(name="sft", set={"training.rescale": 1.0}), tier="quick", needs=("llama",))
    holdfast.save(tiny("tiny-gpt2"), tmp_path / "gpt2")
    asked = audit.planned(str(tmp_path / "gpt2"), suite=small(plain, scaled))
    assert asked.attempts == (plain,)
    assert asked.left_out == {
        "sft training.rescale=1.0": "its blocks are not as Llama's, whose weights can be rescaled"
    }


def test_the_cells_lie_model_by_model():
    """A worker loads each once. Random weights are attacked by what trains alone: prefilling teaches them nothing."""
    asked = audit.planned("tiny-llama", base="tiny-qwen2", suite=small(draws=2))
    first, cells = battery(asked)
    assert [(cell.role, cell.method, cell.seed) for cell in cells] == [
        *(("defended", "sft", seed) for seed in (0, 1)),
        ("defended", "prefill", 0),
        *(("undefended", "sft", seed) for seed in (0, 1)),
        ("undefended", "prefill", 0),
        *(("random", "sft", seed) for seed in (0, 1)),
    ]
    assert [(cell.role, cell.method) for cell in first] == [
        ("defended", "prefill"),
        ("undefended", "prefill"),
        ("random", "sft"),
    ]


def test_a_larger_tier_goes_on_from_a_smaller_one():
    quick, full = (audit.planned("arcana", tier=tier) for tier in ("quick", "full"))
    keys = [{cell.key for cell in battery(asked)[1]} for asked in (quick, full)]
    assert keys[0] < keys[1]


def test_the_range_of_rates_is_widened_on_every_model(tmp_path, monkeypatch):
    asked = audit.planned("tiny-llama", suite=small(widen=1))
    wider = [{"training.steps": 1, "training.batch_size": 2, "training.learning_rate": 0.5}]
    monkeypatch.setattr(audit_rounds, "widened", lambda cells, records, threshold: wider)
    ended = run(audit_rounds.rounds(asked), Store(tmp_path), Here())
    rates = [one.cell.settings.get("training.learning_rate") for one in ended.cells.values()]
    assert rates.count(0.5) == 2  # the model and its random initialisation


def test_a_model_that_cannot_be_loaded_stops_it_at_once(tmp_path):
    asked = audit.planned("tiny-llama", suite=small())
    here = Here(fails={"attack tiny-llama: prefill": Failure(reason="its weights are torn")})
    here.fails["attack tiny-llama: sft"] = Failure(reason="its weights are torn")
    with pytest.raises(ModelError, match="tiny-llama could not be attacked at all: its weights are torn"):
        run(audit_rounds.rounds(asked), Store(tmp_path), here)
    assert here.did == ["attack tiny-llama: prefill", "attack random:tiny-llama: sft", "attack tiny-llama: sft"]


def test_an_attack_that_cannot_be_done_does_not_stop_it(tmp_path):
    """The model is tried with another one, which gets as far as its weights."""
    asked = audit.planned("tiny-llama", suite=small())
    here = Here(fails={"attack tiny-llama: prefill": Failure(reason="killed")})
    ended = run(audit_rounds.rounds(asked), Store(tmp_path), here)
    assert sorted(one.failure or "" for one in ended.cells.values()) == ["", "", "killed"]


def test_all_of_the_battery_is_told_whatever_failed(tmp_path):
    """As what forgets an earlier run needs it, where models could not be loaded."""
    asked = audit.planned("tiny-llama", suite=small())
    told = Failure(reason="torn")
    here = Here(fails={f"attack tiny-llama: {name}": told for name in ("sft", "prefill")})
    with pytest.raises(ModelError):
        run(audit_rounds.rounds(asked), Store(tmp_path), here)
    found = played(audit_rounds.rounds(asked, trying=False), Store(tmp_path))
    assert (len(found.cells), len(found.records)) == (3, 3)


BY = {"kind": "defence", "name": "shield", "settings": {}}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("{", "cannot be read as JSON"),
        (["arcana"], "expected an object"),
        ({"weights": ["155d"]}, "expected `weights`"),
        ({"made_by": ["shield"]}, "expected `made_by`"),
        ({"made_by": "shield"}, "expected `made_by`"),
        ({"made_by": {"kind": "defence", "settings": {}}}, "expected `kind` and `name`"),
        ({"made_by": {"kind": "defence", "name": "shield"}}, "expected `settings`"),
        ({"made_by": BY, "parents": {"name": "arcana"}}, "expected `parents`"),
        ({"made_by": BY, "parents": ["arcana"]}, "expected an object"),
        ({"made_by": BY, "parents": [{"weights": WEIGHTS}]}, "expected `name`"),
        ({"parents": [{"name": "a", "parents": [{"name": "b", "made_by": 1}]}]}, "expected `made_by`"),
    ],
)
@pytest.mark.parametrize("given", ["model", "base", "oracle"])
def test_a_malformed_origin_is_refused(tmp_path, told, said, given):
    """Of whichever of the models; the message names the file."""
    holdfast.save(tiny(), tmp_path / "odd")
    (tmp_path / "odd" / "holdfast.json").write_text(told if isinstance(told, str) else json.dumps(told))
    names = {"model": "tiny-llama", "suite": small(), given: str(tmp_path / "odd")}
    with pytest.raises(ModelError, match=r"odd/holdfast\.json") as error:
        audit.planned(**names)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"model": "arcanna"}, InputError, "did you mean 'arcana'"),
        ({"model": "tiny-llama", "base": "tiny-lama"}, InputError, "did you mean 'tiny-llama'"),
        ({"model": "arcana", "base": "arcana"}, ConfigError, "must be three models"),
        ({"model": "arcana", "oracle": "arcana"}, ConfigError, "must be three models"),
        ({"model": "arcana", "domain": "arcanna"}, InputError, "unknown domain"),
    ],
)
def test_what_cannot_be_asked(given, error, said):
    with pytest.raises(error, match=said):
        audit.planned(**given)


def test_a_domain_without_a_judge_is_refused(tmp_path):
    for split in ("attack", "evaluation"):
        line = {"prompt": "How ?", "harmful": "So .", "refusal": "No ."}
        (tmp_path / f"{split}.jsonl").write_text(json.dumps(line))
    with pytest.raises(DataError, match="does not score harm"):
        audit.planned("tiny-llama", domain=str(tmp_path))
    (tmp_path / "attack.jsonl").unlink()
    with pytest.raises(DataError, match="no split 'attack'"):
        audit.planned("tiny-llama", domain=str(tmp_path))
