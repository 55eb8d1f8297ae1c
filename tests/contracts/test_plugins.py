"""What every defence and every attack keeps to, on a tiny model. A new plug-in is tested for no lines of its own."""

import copy
import dataclasses
import inspect
import itertools
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

import holdfast
from holdfast import plugins
from holdfast.attacks.grpo import Grpo
from holdfast.attacks.sft import Sft
from holdfast.config import build, content_hash, fields, from_dict, to_dict
from holdfast.interfaces import Model, Pair, Question, View
from holdfast.methods import stage_of
from holdfast.models.frozen import frozen
from holdfast.models.generate import answers
from holdfast.models.identity import weights_hash
from holdfast.models.tiny import tiny
from holdfast.records import Budget
from holdfast.study.view import attacker, defender
from holdfast.training.feedback.sampling import Sampling
from holdfast.training.recipe import Recipe
from holdfast.training.run import apply
from small import PAIRS, TEXTS, FakeDomain

EVERY = [(kind, name) for kind in ("defences", "attacks") for name in plugins.names(kind)]
SHORT = {
    "training.steps": 2,
    "training.batch_size": 4,
    "texts": 32,
    "each": 2,
    "sampling.samples": 2,
    "sampling.max_new_tokens": 4,
    # What a random model says earns nothing from a judge, and nothing is learnt from that.
    "reward.kind": "model",
    "reward.training.steps": 2,
    "reward.training.batch_size": 4,
}
CUSTOMER = Sft(training=Recipe(steps=2, batch_size=4, learning_rate=1e-2))
"""The training that a provider's defence stands around."""
REINFORCED = Grpo(
    sampling=Sampling(samples=4, max_new_tokens=4), training=Recipe(steps=2, batch_size=8, learning_rate=1e-2)
)
OF_REWARDS = {"reward_shaping", "safe_rlhf"}
"""Providers' defences that act on rewards alone: they stand around reinforcement."""
MODELS = {"safe_moe": "tiny-mixtral"}
"""Plug-ins that need another model than the tiny Llama."""
RELATIVES: dict[str, tuple[str, ...]] = {"merge": ("relative",), "delta": ("unaligned", "aligned")}
"""Plug-ins that need other models, by the fields that name them: each gets a tiny model with weights of its own."""
REBUILT: dict[str, set[str]] = {
    "activation": {"attention_bias"},
    "layer_injection": {"num_hidden_layers"},
    "soft_prompt": {"vocab_size"},
}
"""Plug-ins that change a network's parts on purpose, and what the configuration then says otherwise."""
NEW_WORDS = {"soft_prompt"}
"""Plug-ins that give the tokenizer tokens of their own."""
DRAWS = {"noise"}
"""Plug-ins that train nothing, and draw at random."""
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")

plugin = pytest.mark.parametrize(("kind", "name"), EVERY, ids=[f"{kind}-{name}" for kind, name in EVERY])


@pytest.fixture
def model(request: pytest.FixtureRequest) -> Model:
    """The tiny model that a plug-in runs on; new for every test."""
    return tiny(MODELS.get(request.node.callspec.params["name"], "tiny-llama"), texts=TEXTS)


@pytest.fixture(scope="module")
def relatives(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Directories of two other tiny models of the same words."""
    places = [str(tmp_path_factory.mktemp("relatives") / f"seed-{seed}") for seed in (1, 2)]
    for seed, place in enumerate(places, start=1):
        holdfast.save(tiny("tiny-llama", seed=seed, texts=TEXTS), place)
    return places


@pytest.fixture
def short(kind: str, name: str, relatives: list[str]) -> Any:
    """A plug-in with its defaults, but for two short steps."""
    cls = plugins.find(kind, name)
    known = fields(cls)
    named = dict(zip(RELATIVES.get(name, ()), relatives, strict=False))
    return build(cls, {field: value for field, value in {**SHORT, **named}.items() if field in known})


@pytest.fixture(scope="module")
def known() -> dict[tuple[str, str], Model]:
    """What runs with seed 0 have made so far, for all tests that look at it."""
    return {}


@pytest.fixture
def done(kind: str, name: str, model: Model, short: Any, known: dict[tuple[str, str], Model]) -> Model:
    """What a run with seed 0 makes of the model."""
    if (kind, name) not in known:
        known[kind, name] = run(kind, model, short)
    return known[kind, name]


class Graded(FakeDomain):
    """The same data under a judge to whom whatever a random model says does more or less harm."""

    def harm(self, pair: Pair, answer: str) -> float | None:
        return len(answer) % 7 / 7


def customer(method: Any) -> tuple[Any, FakeDomain]:
    """Whose training a provider's defence stands around, and the data of both."""
    return (REINFORCED, Graded()) if plugins.name_of(method) in OF_REWARDS else (CUSTOMER, FakeDomain())


def run(kind: str, model: Model, method: Any, seed: int = 0) -> Model:
    """The model that a method makes, or that two steps of a customer make under a defence that acts later."""
    if kind == "attacks" or stage_of(method) != "before":
        theirs, domain = customer(method)
        provider, attack = ([], method) if kind == "attacks" else ([method], theirs)
        attacked, record = holdfast.attack(
            model, attack, domain=domain, provider=provider, seed=seed, ladder=(), metrics=()
        )
        assert record.failure is None
        return attacked
    return holdfast.harden(model, method, domain=FakeDomain(), seed=seed)


def applied(method: Any, model: Model, view: View, **more: Any) -> Model:
    """The same in place, without anything around it."""
    if stage_of(method) == "during":
        theirs, domain = customer(method)
        guard = method.guard(model, defender(domain), 0)
        return apply(theirs, model, attacker(domain), seed=0, guard=guard, **more)
    if stage_of(method) == "after":
        method.mend(model, dataclasses.replace(model, network=frozen(model.network)), view)
        return model
    return apply(method, model, view, seed=0, **more)


def seen_by(kind: str) -> View:
    """What a party may use: all that a domain has for it."""
    return attacker(FakeDomain()) if kind == "attacks" else defender(FakeDomain())


def drawn(method: Any) -> bool:
    """Whether draws of its own, or of the customer's beside it, decide what it makes."""
    shapes = ("loss", "gradient", "start", "trainer", "guard", "mend")
    return plugins.name_of(method) in DRAWS or any(hasattr(method, shape) for shape in shapes)


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
def test_one_run_leaves_nothing_but_weights(kind, name, model, short, known):
    described, spoken = describe(model.network), words(model.tokenizer)
    hashed, data, settings = weights_hash(model.network), copy.deepcopy(seen_by(kind)), to_dict(short)
    random.seed(1), np.random.seed(2), torch.manual_seed(3)
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    done = known[kind, name] = run(kind, model, short)
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]
    assert torch.equal(torch.get_rng_state(), states[2])
    # The input is untouched; the result differs from it in the weights' values alone.
    assert weights_hash(model.network) == hashed
    assert describe(model.network) == described
    assert words(model.tokenizer) == spoken
    assert (data.pairs, data.exchanges, data.adjacent) == (
        seen_by(kind).pairs,
        seen_by(kind).exchanges,
        seen_by(kind).adjacent,
    )
    assert to_dict(short) == settings
    assert all(torch.isfinite(weight).all() for weight in done.network.parameters())
    assert (weights_hash(done.network) != hashed) == (name != "none" and not hasattr(short, "ask"))
    if name in REBUILT:
        assert describe(done.network) == described | as_configured(done.network, REBUILT[name], described)
    else:
        assert describe(done.network) == described
    assert (words(done.tokenizer) != spoken) == (name in NEW_WORDS)
    assert {*done.tokenizer.get_vocab().items()} >= {*model.tokenizer.get_vocab().items()}


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


def as_configured(network: Any, changed: set[str], before: dict[str, Any]) -> dict[str, Any]:
    """What a network of other parts has to be: what its configuration makes, which is another in `changed` alone."""
    settings = network.config.to_dict()
    assert {key for key in settings if settings[key] != before["config"].get(key)} == changed
    made: Any = AutoModelForCausalLM.from_config(network.config).eval()
    parts = describe(made)
    return {"config": settings, **{key: parts[key] for key in ("weights", "modules", "hooks", "forward")}}


def words(tokenizer: Any) -> dict[str, Any]:
    """Everything of a tokenizer that a method must leave as it found it."""
    return {
        "vocabulary": tokenizer.get_vocab(),
        "added": {number: str(token) for number, token in tokenizer.added_tokens_decoder.items()},
        "special": tokenizer.all_special_tokens,
        "chat": tokenizer.chat_template,
        "padding": (tokenizer.padding_side, tokenizer.pad_token),
        "length": tokenizer.model_max_length,
    }


LATER = [(kind, name) for kind, name in EVERY if stage_of(plugins.find(kind, name)()) != "before"]


@pytest.mark.parametrize(("kind", "name"), LATER)
def test_a_providers_defence_changes_what_comes_out(kind, name, model, short, done):
    theirs, domain = customer(short)
    plain, _ = holdfast.attack(model, theirs, domain=domain, ladder=(), metrics=())
    assert weights_hash(done.network) != weights_hash(plain.network)


@plugin
def test_the_mode_comes_back(kind, name, model, short):
    """Training mode here; a run on a network at rest is described above. Where there are loss terms each is finite."""
    told: list[dict[str, float]] = []
    trains = hasattr(short, "training") or hasattr(short, "guard")
    model.network.train()
    more = {"on_step": lambda _, terms: told.append(terms)} if trains and stage_of(short) != "after" else {}
    made = applied(short, model, seen_by(kind), **more)
    assert {module.training for module in made.network.modules()} == {True}
    if trains and not hasattr(short, "trainer") and name not in OF_REWARDS:
        assert len(told) == 2
        assert all(terms and np.isfinite(list(terms.values())).all() for terms in told)


@plugin
def test_the_seed_decides(kind, name, model, short, done):
    again, other = (weights_hash(run(kind, model, short, seed).network) for seed in (0, 1))
    hashes = weights_hash(done.network), again, other
    assert hashes[0] == hashes[1]
    assert (hashes[0] != hashes[2]) == drawn(short)


@plugin
def test_saved_and_loaded_it_says_the_same(kind, name, model, short, done, tmp_path):
    holdfast.save(done, tmp_path / "saved")
    loaded = holdfast.load(str(tmp_path / "saved"))
    assert words(loaded.tokenizer) == words(done.tokenizer)
    # As it is to be asked: with whatever an attack puts around the question.
    question = done.ask(PAIRS[0]) if done.ask else Question(PAIRS[0].prompt)
    ids = torch.tensor([loaded.tokenizer((question.prompt or "") + question.begun)["input_ids"]])
    with torch.no_grad():
        assert torch.equal(loaded.network(input_ids=ids).logits, done.network.eval()(input_ids=ids).logits)
    said = [answers(dataclasses.replace(one, ask=None), [question], max_new_tokens=4) for one in (done, loaded)]
    assert said[0] == said[1]
    made_by = name if kind == "attacks" or stage_of(short) == "before" else plugins.name_of(customer(short)[0])
    assert loaded.origin["made_by"]["name"] == made_by
    assert loaded.origin["weights"] == weights_hash(loaded.network)


@plugin
def test_it_is_measured_on_its_way(kind, name, model, short):
    """At each rung the network is at rest, and all that has been spent is more than before."""
    if stage_of(short) == "after" or not (hasattr(short, "training") or hasattr(short, "guard")):
        pytest.skip("it has no way")
    spent: list[Budget] = []

    def measure(current: Model, budget: Budget, *_: Any) -> None:
        assert not any(module.training for module in current.network.modules())
        spent.append(budget)

    model.network.train()
    applied(short, model, seen_by(kind), ladder=(0, 1, 2), on_rung=measure)
    # What is asked otherwise is not measured before its first step.
    assert [budget.steps for budget in spent][-2:] == [1, 2]
    if spent[0].steps == 0:
        assert (spent[0].samples, spent[0].tokens, spent[0].flops) == (0, 0, 0)
    for less, more in itertools.pairwise(spent):
        # A step that a guard takes for itself costs the attacker nothing.
        assert less.flops < more.flops or (name == "lisa" and less.flops == more.flops)
        assert (less.samples < more.samples) == (less.tokens < more.tokens) == (less.flops < more.flops)
    assert all(budget.examples <= len(PAIRS) for budget in spent)


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
