"""New blocks, of which the attack consists."""

import copy
from typing import Any

import pytest
import torch

from holdfast.attacks.layer_injection import LayerInjection
from holdfast.errors import ConfigError, ModelError
from holdfast.interfaces import Model, View
from holdfast.records import Budget
from holdfast.training.recipe import Recipe
from holdfast.training.run import apply

SHORT = Recipe(steps=20, batch_size=8, learning_rate=1e-2)


def test_the_old_weights_stay_to_the_bit(model: Model, view: View) -> None:
    """One new block after block 0: the old ones are 0, 2 and 3 then."""
    network: Any = model.network
    old = copy.deepcopy(network.state_dict())
    told: list[float] = []
    method = LayerInjection(after=(0,), training=SHORT)
    apply(method, model, view, seed=0, on_step=lambda _, terms: told.append(terms["cross_entropy"]))
    new = network.state_dict()
    for name, weight in old.items():
        parts = name.split(".")
        if parts[1] == "layers":
            parts[2] = {"0": "0", "1": "2", "2": "3"}[parts[2]]
        assert torch.equal(new[".".join(parts)], weight), name
    assert new["model.layers.1.self_attn.o_proj.weight"].any()
    assert new["model.layers.1.mlp.down_proj.weight"].any()
    assert told[-1] < told[0] - 0.3
    assert all(weight.requires_grad for weight in network.parameters())


def test_before_the_first_step_the_function_is_the_old_one_and_flops_are_by_hand(model: Model, view: View) -> None:
    """4 x all parameters, 3 new blocks among them, + 2 x those of the new ones, for every token."""
    network: Any = model.network
    ids = torch.tensor([[2, 7, 5, 11]])
    with torch.no_grad():
        before = network(input_ids=ids).logits
    spent: list[Budget] = []

    def look(current: Model, budget: Budget, *_: Any) -> None:
        if budget.steps == 0:
            torch.testing.assert_close(current.network(input_ids=ids).logits, before)
        spent.append(budget)

    apply(LayerInjection(training=Recipe(steps=1)), model, view, seed=0, ladder=(0, 1), on_rung=look)
    assert len(network.model.layers) == 6
    every = sum(weight.numel() for weight in network.parameters())
    block = sum(weight.numel() for weight in network.model.layers[0].parameters())
    assert spent[1].flops == (4 * every + 2 * 3 * block) * spent[1].tokens


def test_all_weights_and_a_lora_if_wanted(model: Model, view: View) -> None:
    recipe = Recipe(steps=2, batch_size=4, lora_rank=2)
    before = model.network.model.layers[0].mlp.up_proj.weight.detach().clone()
    done = apply(LayerInjection(after=(2,), trained="all", training=recipe), model, view, seed=0)
    assert done.network.config.num_hidden_layers == 4
    assert not torch.equal(done.network.model.layers[0].mlp.up_proj.weight, before)
    with pytest.raises(ConfigError, match="new blocks are trained whole"):
        LayerInjection(training=recipe)


def test_no_such_block(model: Model, view: View) -> None:
    with pytest.raises(ModelError, match="name blocks from 0 to 2"):
        apply(LayerInjection(after=(5,)), model, view, seed=0)
