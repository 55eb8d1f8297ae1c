"""Learnt offsets to attention heads: which are selected, and that nothing else is trained."""

import copy
from typing import Any

import pytest
import torch

from holdfast.attacks.activation import Activation
from holdfast.errors import ConfigError, ModelError
from holdfast.interfaces import Model, View
from holdfast.models.tiny import tiny
from holdfast.records import Budget
from holdfast.training.recipe import Recipe
from holdfast.training.run import apply
from small import TEXTS

SHORT = Recipe(steps=20, batch_size=8, learning_rate=1e-2)


@pytest.mark.parametrize("name", ["tiny-llama", "tiny-qwen2", "tiny-gemma"])
@pytest.mark.parametrize(("share", "heads"), [(0.01, 1), (0.34, 3), (1.0, 6)])
def test_as_many_heads_as_asked_for(name: str, share: float, heads: int, view: View) -> None:
    """3 blocks of 2 heads of 8 values: ceil(6 share) of them get an offset, and no other weight moves."""
    model = tiny(name, texts=TEXTS)
    before = copy.deepcopy(model.network.state_dict())
    told: list[float] = []
    method = Activation(share=share, training=SHORT)
    apply(method, model, view, seed=0, on_step=lambda _, terms: told.append(terms["cross_entropy"]))
    moved: list[torch.Tensor] = []
    for part, weight in model.network.state_dict().items():
        if part.endswith("v_proj.bias"):
            moved += (weight - before.get(part, torch.zeros(16))).view(2, 8).abs().sum(1).unbind()
        elif part in before:
            assert torch.equal(weight, before[part]), part
        else:
            assert part.endswith("_proj.bias")
            assert not weight.any()
    assert sum(bool(head > 0) for head in moved) == heads
    assert told[-1] < told[0]
    assert all(weight.requires_grad for weight in model.network.parameters())


def test_a_head_that_says_nothing_is_not_selected(model: Model, view: View) -> None:
    """With the columns of `o_proj` at 0 for all heads but one, that one has the only slope.

    Head 1 of values in block 2 is read by heads 2 and 3 of queries: columns 16 to 31.
    """
    network: Any = model.network
    with torch.no_grad():
        for number, block in enumerate(network.model.layers):
            kept = block.self_attn.o_proj.weight[:, 16:].clone()
            block.self_attn.o_proj.weight.zero_()
            if number == 2:
                block.self_attn.o_proj.weight[:, 16:] = kept
    started = Activation().start(model, view, 0)
    assert [*started.chosen] == ["model.layers.2.self_attn.v_proj.bias"]
    assert started.chosen["model.layers.2.self_attn.v_proj.bias"].tolist() == [False] * 8 + [True] * 8


def test_the_slope_that_selects_is_a_mean_over_the_samples(model: Model, view: View) -> None:
    """8 samples in batches of 3, 3 and 2: the same as in one, since each is weighted by what it holds."""
    chosen: list[list[torch.Tensor]] = []
    for size in (3, 8):
        copied = Model(network=copy.deepcopy(model.network), tokenizer=model.tokenizer, name="", origin={})
        method = Activation(samples=8, share=1, training=Recipe(batch_size=size))
        biases = [layer.bias for layer, _ in _values(copied)]
        chosen.append(method._slopes(copied, biases, view, 0))
    for one, other in zip(*chosen, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-7)


def _values(model: Model) -> Any:
    from holdfast.models.biases import value_biases

    return value_biases(model.network)


def test_flops_by_hand(model: Model, view: View) -> None:
    """4 x all parameters + 2 x the biases of the blocks that have a selected head, for every token."""
    spent: list[Budget] = []
    method = Activation(share=1, training=Recipe(steps=1))
    apply(method, model, view, seed=0, ladder=(1,), on_rung=lambda _, budget, __: spent.append(budget))
    every = sum(weight.numel() for weight in model.network.parameters())
    assert spent[0].flops == (4 * every + 2 * 3 * 16) * spent[0].tokens


def test_what_it_cannot_do(view: View) -> None:
    with pytest.raises(ModelError, match="architecture such as Llama"):
        apply(Activation(), tiny("tiny-mistral", texts=TEXTS), view, seed=0)
    with pytest.raises(ConfigError, match="lora_rank"):
        Activation(training=Recipe(lora_rank=1))
