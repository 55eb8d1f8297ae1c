"""What every defence and every attack keeps to, on a tiny model. A new plug-in is tested for no lines of its own."""

import copy
import dataclasses
import inspect
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

import holdfast
from holdfast import plugins
from holdfast.attacks.sft import Sft
from holdfast.config import build, content_hash, fields, from_dict, to_dict
from holdfast.interfaces import Model, View
from holdfast.methods import stage_of
from holdfast.models.frozen import frozen
from holdfast.models.identity import weights_hash
from holdfast.models.tiny import tiny
from holdfast.training.recipe import Recipe
from holdfast.training.run import apply
from small import EXCHANGES, PAIRS, TEXTS, FakeDomain

EVERY = [(kind, name) for kind in ("defences", "attacks") for name in plugins.names(kind)]
SHORT = {"training.steps": 2, "training.batch_size": 4, "texts": 32, "each": 2}
CUSTOMER = Sft(training=Recipe(steps=2, batch_size=4, learning_rate=1e-2))
"""The training that a provider's defence stands around."""
MODELS = {"safe_moe": "tiny-mixtral"}
"""Plug-ins that need another model than the tiny Llama."""
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")

plugin = pytest.mark.parametrize(("kind", "name"), EVERY, ids=[f"{kind}-{name}" for kind, name in EVERY])


@pytest.fixture
def model(request: pytest.FixtureRequest) -> Model:
    """The tiny model that a plug-in runs on; new for every test."""
    return tiny(MODELS.get(request.node.callspec.params["name"], "tiny-llama"), texts=TEXTS)


def short(kind: str, name: str, **more: Any) -> Any:
    """A plug-in with its defaults, but for two short steps."""
    cls = plugins.find(kind, name)
    known = fields(cls)
    return build(cls, {field: value for field, value in {**SHORT, **more}.items() if field in known})


def run(kind: str, model: Model, method: Any, seed: int = 0) -> Model:
    """The model that a method makes, or that two steps of a customer make under a defence that acts later."""
    if kind == "attacks" or stage_of(method) != "before":
        provider, attack = ([], method) if kind == "attacks" else ([method], CUSTOMER)
        attacked, record = holdfast.attack(
            model, attack, domain=FakeDomain(), provider=provider, seed=seed, ladder=(), metrics=()
        )
        assert record.failure is None
        return attacked
    return holdfast.harden(model, method, domain=FakeDomain(), seed=seed)


def applied(method: Any, model: Model, view: View, **more: Any) -> Model:
    """The same in place, without anything around it."""
    if stage_of(method) == "during":
        return apply(CUSTOMER, model, view, seed=0, guard=method.guard(model, view, 0), **more)
    if stage_of(method) == "after":
        method.mend(model, dataclasses.replace(model, network=frozen(model.network)), view)
        return model
    return apply(method, model, view, seed=0, **more)


def trains(method: Any) -> bool:
    """Whether draws of its own, or of the customer's beside it, decide what it makes."""
    shapes = ("loss", "gradient", "start", "trainer", "guard", "mend")
    return any(hasattr(method, shape) for shape in shapes)


@plugin
def test_configuration(kind, name):
    """Defaults suffice; JSON there and back keeps the hash; a field is documented; a name is a file's name."""
    cls = plugins.find(kind, name)
    instance = cls()
    assert plugins.name_of(instance) == plugins.name_of(cls) == name
    again = from_dict(cls, to_dict(instance))
    assert again == instance
    assert content_hash(to_dict(again)) == content_hash(to_dict(instance))
    with pytest.raises(dataclasses.FrozenInstanceError):
        instance.anything = 1
    assert not [field for field, info in fields(cls).items() if not info.description]


@plugin
def test_the_file_tells_its_source(kind, name):
    cls = plugins.find(kind, name)
    module = inspect.getmodule(cls)
    text = inspect.getdoc(module) or ""
    assert [part for part in ("Paper:", "Defaults:", "Divergences:") if part not in text] == []
    assert inspect.getdoc(cls)
    assert plugins.only_class(module) is cls


@plugin
def test_one_run_leaves_nothing_but_weights(kind, name, model):
    method = short(kind, name)
    described = describe(model.network)
    hashed, pairs, settings = weights_hash(model.network), copy.deepcopy(PAIRS), to_dict(method)
    random.seed(1), np.random.seed(2), torch.manual_seed(3)
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    done = run(kind, model, method)
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]
    assert torch.equal(torch.get_rng_state(), states[2])
    # The input is untouched; the result differs from it in the weights' values alone.
    assert weights_hash(model.network) == hashed
    assert describe(model.network) == described
    assert pairs == PAIRS
    assert to_dict(method) == settings
    assert describe(done.network) == described
    assert all(torch.isfinite(weight).all() for weight in done.network.parameters())
    assert (weights_hash(done.network) != hashed) == (name != "none" and not hasattr(method, "ask"))


def describe(network: Any) -> dict[str, Any]:
    """Everything of a network that a method must leave as it found it."""
    return {
        "weights": [(n, w.shape, w.dtype, w.requires_grad, w.grad is None) for n, w in network.named_parameters()],
        "modules": [(n, type(m).__name__, m.training) for n, m in network.named_modules()],
        "hooks": [(n, hooks, len(getattr(m, hooks))) for n, m in network.named_modules() for hooks in HOOKS],
        "forward": [n for n, m in network.named_modules() if "forward" in vars(m)],
        "config": network.config.to_dict(),
        "generation": network.generation_config.to_dict(),
    }


@pytest.mark.parametrize("name", [name for kind, name in EVERY if stage_of(plugins.find(kind, name)()) != "before"])
def test_a_providers_defence_changes_what_comes_out(name, model):
    plain, _ = holdfast.attack(model, CUSTOMER, domain=FakeDomain(), ladder=(), metrics=())
    assert weights_hash(run("defences", model, short("defences", name)).network) != weights_hash(plain.network)


@plugin
@pytest.mark.parametrize("training", [False, True])
def test_the_mode_comes_back(kind, name, model, training):
    model.network.train(training)
    done = applied(short(kind, name), model, View(pairs=PAIRS, exchanges=EXCHANGES))
    assert {module.training for module in done.network.modules()} == {training}


@plugin
def test_the_seed_decides(kind, name, model):
    method = short(kind, name)
    hashes = [weights_hash(run(kind, model, method, seed).network) for seed in (0, 0, 1)]
    assert hashes[0] == hashes[1]
    assert (hashes[0] != hashes[2]) == trains(method)


@plugin
def test_saved_and_loaded_it_says_the_same(kind, name, model, tmp_path):
    done = run(kind, model, short(kind, name))
    holdfast.save(done, tmp_path / "saved")
    loaded = holdfast.load(str(tmp_path / "saved"))
    ids = torch.tensor([loaded.tokenizer(PAIRS[0].prompt)["input_ids"]])
    with torch.no_grad():
        assert torch.equal(loaded.network(input_ids=ids).logits, done.network.eval()(input_ids=ids).logits)
    made_by = name if kind == "attacks" or stage_of(plugins.find(kind, name)()) == "before" else "sft"
    assert loaded.origin["made_by"]["name"] == made_by
    assert loaded.origin["weights"] == weights_hash(loaded.network)


@plugin
def test_every_term_is_a_finite_scalar(kind, name, model):
    method = short(kind, name)
    if hasattr(method, "trainer") or not (hasattr(method, "training") or hasattr(method, "guard")):
        pytest.skip("it has no loss terms of its own")
    told: list[dict[str, float]] = []
    view = View(pairs=PAIRS, exchanges=EXCHANGES)
    applied(method, model, view, on_step=lambda _, terms: told.append(terms))
    assert len(told) == 2
    assert all(terms and np.isfinite(list(terms.values())).all() for terms in told)


def test_looking_one_up_imports_no_transformers():
    """All of them, one after the other, in a fresh interpreter; each says what has been imported by then."""
    code = """
import sys
from holdfast import plugins

for kind, name in %r:
    plugins.find(kind, name)()
    print(name, *sorted({"transformers", "trl", "peft", "datasets"} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code % EVERY], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [name for _, name in EVERY]
