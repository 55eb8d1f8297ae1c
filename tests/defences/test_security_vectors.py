"""Security vectors: what they add, by hand; what they make of a model while they are on; nothing left of them."""

import itertools
from typing import Any

import pytest
import torch

from holdfast.attacks.layer_injection import LayerInjection
from holdfast.attacks.sft import Sft
from holdfast.defences.security_vectors import SecurityVectors
from holdfast.errors import ConfigError, ModelError
from holdfast.interfaces import Progress
from holdfast.models.identity import weights_hash
from holdfast.models.tiny import tiny
from holdfast.training.feed import feed
from holdfast.training.recipe import Recipe
from holdfast.training.run import apply
from holdfast.training.terms.answers import answer_loss
from holdfast.training.weights.vectors import Vector, Vectors
from small import TEXTS

NOW = Progress(0, 4)
SHORT = SecurityVectors(training=Recipe(steps=10, learning_rate=0.01, batch_size=8, lora_rank=4, lora_alpha=8))


def test_a_vector_by_hand():
    """x = (1, 1), A = (1 2), B = (3, 4), scale 0.5: A x = 3, B 3 = (9, 12), halved (4.5, 6)."""
    vector = Vector(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0], [4.0]]), 0.5)
    network = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False))
    torch.nn.init.zeros_(network[0].weight)
    vectors, x = Vectors({"0": vector}), torch.ones(1, 2)
    vectors.switch_on(network)
    vectors.switch_on(network)  # twice is once
    assert network(x).tolist() == [[4.5, 6.0]]
    vectors.switch_off()
    assert network(x).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("family", ["tiny-llama", "tiny-gpt2"])
def test_on_the_model_is_harmful_and_off_it_is_itself(family, view):
    """GPT-2's layers hold their weights the other way round."""
    model = tiny(family, texts=TEXTS)
    was = weights_hash(model.network)
    harmful = next(feed(model, itertools.islice(SHORT.rows(view, 0), 8), 8))["harmful"]
    before = answer_loss(model.network, harmful).item()
    guard = SHORT.guard(model, view, seed=0)
    guard.before_step(model.network, NOW)
    assert answer_loss(model.network, harmful).item() < before - 0.1
    guard.after_step(model.network, NOW)
    assert answer_loss(model.network, harmful).item() == before
    guard.before_step(model.network, NOW)
    guard.finish(model.network)
    assert answer_loss(model.network, harmful).item() == before
    assert weights_hash(model.network) == was


@pytest.mark.parametrize("rank", [0, 2])
def test_it_is_measured_without_them(rank, model, view):
    """At every rung of an attack, by LoRA too, the network is the user's own, and its mode and hooks are as before."""
    hooks: list[int] = []

    def look(current: Any, *_: Any) -> None:
        hooks.append(sum(len(module._forward_hooks) for module in current.network.modules()))

    attack = Sft(training=Recipe(steps=2, batch_size=4, lora_rank=rank))
    apply(attack, model, view, seed=0, guard=SHORT.guard(model, view, seed=0), ladder=(0, 1, 2), on_rung=look)
    assert hooks == [0, 0, 0]


def test_a_rank_of_zero_is_an_error():
    with pytest.raises(ConfigError, match="rank above 0"):
        SecurityVectors(training=Recipe(lora_rank=0))


@pytest.mark.parametrize("after", [(), (0,)])
def test_new_blocks_move_the_names_of_the_old_ones(after, model, view):
    """Three blocks, then six, or four: what was learnt for block 1 would go to another."""
    guard = SHORT.guard(model, view, seed=0)
    attack = LayerInjection(after=after, training=Recipe(steps=1, batch_size=2))
    wrong = f"learnt on 3 modules in 'model.layers', where there are {4 if after else 6} now"
    with pytest.raises(ModelError, match=wrong):
        apply(attack, model, view, seed=0, guard=guard)
    assert not any(module._forward_hooks for module in model.network.modules())
