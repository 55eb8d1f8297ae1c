"""What a run leaves behind: the weights that its seed decides, and nothing else."""

import copy
import random
from typing import Any

import numpy as np
import pytest
import torch

from holdfast.attacks.sft import Sft
from holdfast.config import replace
from holdfast.defences.adversarial import Adversarial
from holdfast.defences.tar import Tar
from holdfast.defences.token_buncher import TokenBuncher
from holdfast.interfaces import Model, View
from holdfast.models.tiny import tiny
from holdfast.training.recipe import Recipe
from holdfast.training.run import apply
from small import TEXTS

RECIPE = Recipe(steps=3, batch_size=4, learning_rate=1e-2)
LORA = replace(RECIPE, {"lora_rank": 2})


def weights(model: Model) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in model.network.state_dict().items()}


def equal(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def run(method: Any, view: View, seed: int = 0, dropout: float = 0.0, **more: Any) -> dict[str, torch.Tensor]:
    model = tiny(texts=TEXTS)
    for block in model.network.model.layers:
        block.self_attn.attention_dropout = dropout
    return weights(apply(method, model, view, seed=seed, **more))


METHODS = [
    Sft(training=RECIPE),
    Sft(training=LORA),
    Adversarial(training=RECIPE),
    Tar(inner_steps=4, training=RECIPE),
    TokenBuncher(training=RECIPE),
]
NAMES = ["sft", "lora", "adversarial", "tar", "token_buncher"]


@pytest.mark.parametrize("method", METHODS, ids=NAMES)
def test_the_seed_decides_and_the_global_rng_stays(view, method):
    random.seed(1), np.random.seed(2), torch.manual_seed(3)
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    first = run(method, view, seed=1)
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]
    assert torch.equal(torch.get_rng_state(), states[2])
    random.seed(9), np.random.seed(9), torch.manual_seed(9)
    assert equal(first, run(method, view, seed=1))
    assert not equal(first, run(method, view, seed=2))


def test_dropout_is_the_seeds(view):
    """With the order of rows fixed, another seed still gives other weights."""
    method = Sft(training=RECIPE)

    class Ordered:
        training, loss = method.training, staticmethod(method.loss)

        def rows(self, view: View, seed: int) -> Any:
            return method.rows(view, 0)

    assert equal(run(Ordered(), view, 1, dropout=0.1), run(Ordered(), view, 1, dropout=0.1))
    assert not equal(run(Ordered(), view, 1, dropout=0.1), run(Ordered(), view, 2, dropout=0.1))


@pytest.mark.parametrize("recipe", [RECIPE, LORA], ids=["full", "lora"])
def test_a_measurement_changes_nothing(view, recipe):
    """At every rung it draws from every generator and changes the mode; dropout would show it."""
    modes = []

    def measure(current: Model, budget: Any, told: Any) -> None:
        modes.append((budget.steps, current.network.training))
        torch.rand(11), random.random(), np.random.rand()
        current.network.train(budget.steps % 2 == 0)

    method = Sft(training=recipe)
    measured = run(method, view, dropout=0.1, ladder=(0, 1, 3), on_rung=measure)
    assert modes == [(0, False), (1, False), (3, False)]
    assert equal(measured, run(method, view, dropout=0.1))


def test_a_rung_sees_the_weights_of_its_step(view):
    """The rung after 2 of 3 steps is the end of a run of 2 steps, at a constant rate."""
    seen = {}
    run(Sft(training=RECIPE), view, ladder=(2,), on_rung=lambda current, *_: seen.update(weights(current)))
    assert equal(seen, run(Sft(training=replace(RECIPE, {"steps": 2})), view))


def test_steps_are_reported_with_their_terms(view):
    told = []
    run(Adversarial(training=RECIPE), view, on_step=lambda progress, terms: told.append((*progress, sorted(terms))))
    names = ["harmful", "refusal", "retain"]
    assert told == [(1, 3, names), (2, 3, names), (3, 3, names)]


def test_no_steps_leave_the_model_as_it_is(model, view):
    before = weights(model)
    assert equal(before, weights(apply(Sft(training=Recipe(steps=0)), model, view, seed=0)))


@pytest.mark.parametrize("family", ["tiny-llama", "tiny-gpt2", "tiny-gemma", "tiny-gpt-neox"])
def test_lora_is_merged_into_an_ordinary_model(view, family):
    """Every weight that LoRA leaves alone is as it was, the others moved by at most rank 2."""
    model = tiny(family, texts=TEXTS)
    model.network.get_input_embeddings().weight.requires_grad_(False)
    described = [(n, w.shape, w.dtype, w.requires_grad) for n, w in model.network.named_parameters()]
    before, kinds = weights(model), [type(module) for module in model.network.modules()]
    done = apply(Sft(training=LORA), model, view, seed=0)
    assert [(n, w.shape, w.dtype, w.requires_grad) for n, w in done.network.named_parameters()] == described
    assert [type(module) for module in done.network.modules()] == kinds
    assert not hasattr(done.network, "peft_config")
    moved = {
        name: after - before[name] for name, after in weights(done).items() if not torch.equal(after, before[name])
    }
    assert moved
    assert all(int(torch.linalg.matrix_rank(change, rtol=1e-3)) <= 2 for change in moved.values())


@pytest.mark.parametrize("method", METHODS, ids=NAMES)
@pytest.mark.parametrize("training", [False, True])
def test_a_copy_computes_with_its_own_weights(view, method, training, capfd):
    """TRL leaves a `forward` bound to the first model; a copy would silently compute with that one's weights."""
    model = tiny(texts=TEXTS)
    model.network.train(training)
    done = apply(method, model, view, seed=0)
    copied = copy.deepcopy(done.network)
    with torch.no_grad():
        for weight in copied.parameters():
            weight.zero_()
    assert not copied(input_ids=torch.tensor([[3, 8, 9]])).logits.any()
    assert "forward" not in vars(done.network)
    assert done.network.training == training
    assert all(weight.grad is None for weight in done.network.parameters())
