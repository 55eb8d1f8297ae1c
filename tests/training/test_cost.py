"""FLOPs against a count by hand."""

import itertools
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from holdfast.attacks.sft import Sft
from holdfast.models.chat import encode
from holdfast.models.tiny import tiny
from holdfast.training.cost import Meter, flops_per_token
from holdfast.training.lora import add_lora
from holdfast.training.recipe import Recipe
from holdfast.training.run import apply


def test_a_layer_by_hand():
    """3 x 5 weights and 5 biases are 20: 6 x 20 = 120; with only the biases trained 4 x 20 + 2 x 5 = 90."""
    layer = nn.Linear(3, 5)
    assert flops_per_token(layer) == 120
    layer.weight.requires_grad_(False)
    assert flops_per_token(layer) == 90
    meter = Meter(90.0, harmful=(1, 2))
    meter.add([1, 1], tokens=7)
    meter.add([3], tokens=3)
    budget = meter.budget(1)
    assert (budget.steps, budget.samples, budget.tokens, budget.flops) == (1, 3, 10, 900)


def test_distinct_harmful_examples_are_counted_once():
    """Of the samples 1, 1, 3 and 2 the first two are one example, and 3 does no harm: two."""
    meter = Meter(1.0, harmful=(1, 2))
    meter.add([1, 1, 3], tokens=0)
    assert meter.budget(1).examples == 1
    meter.add([2], tokens=0)
    assert meter.budget(2).examples == 2


def test_lora_by_hand(model):
    """Rank 2 on the 7 linear layers of each of 3 blocks, width 32, MLP 48, keys and values 2 x 8 wide.

    A and B hold 2 x (in + out): q, o 2 x 64 each; k, v 2 x 48 each; gate, up, down 2 x 80 each, so
    2 x (64 + 64 + 48 + 48 + 3 x 80) = 928 a block, 2,784 in all.
    """
    every = sum(weight.numel() for weight in model.network.parameters())
    network = add_lora(model.network, Recipe(lora_rank=2))
    assert flops_per_token(network) == 4 * (every + 2784) + 2 * 2784


def test_only_the_experts_at_work_count():
    """Width 32, 4 experts of three 32 x 48 matrices a block, 3 blocks, two at work: 2 x 3 x 1,536 x 3 rest = 27,648.

    With only the routers trained, 3 x 4 x 32 = 384 weights, the last half is theirs alone.
    """
    network: Any = tiny("tiny-mixtral").network
    working = sum(weight.numel() for weight in network.parameters()) - 27_648
    assert flops_per_token(network) == 6 * working
    for name, weight in network.named_parameters():
        weight.requires_grad_("mlp.gate" in name)
    assert flops_per_token(network) == 4 * working + 2 * 384


class Block(nn.Module):
    """A router, three experts of 6 weights each, and a shared one."""

    def __init__(self, **config: int):
        super().__init__()
        self.config = SimpleNamespace(**config)
        self.gate = nn.Linear(2, 3, bias=False)
        self.experts = nn.ModuleList(nn.Linear(2, 3, bias=False) for _ in range(3))
        self.shared_experts = nn.Linear(2, 3, bias=False)


def test_experts_that_are_modules():
    """6 + 6 always work, and of 18 a third: 6 x 18 = 108. Where nothing says how many, all: 6 x 30 = 180."""
    assert flops_per_token(Block(n_routed_experts=3, num_experts_per_tok=1)) == pytest.approx(108)
    assert flops_per_token(Block()) == 180


@pytest.mark.parametrize("accumulation", [1, 2])
def test_a_run_counts_tokens_without_padding(model, view, accumulation):
    """6 FLOPs x parameters x tokens of the rows gone through, at each rung."""
    method = Sft(training=Recipe(steps=3, batch_size=4, accumulation=accumulation))
    lengths = [
        len(encode(model.tokenizer, row["train"].prompt, row["train"].answer).ids)
        for row in itertools.islice(method.rows(view, 0), 12)
    ]
    assert len(set(lengths)) > 1
    budgets = []
    apply(method, model, view, seed=0, ladder=(0, 1, 3), on_rung=lambda _, budget, __: budgets.append(budget))
    every = sum(weight.numel() for weight in model.network.parameters())
    assert [(b.steps, b.samples, b.tokens) for b in budgets] == [
        (0, 0, 0),
        (1, 4, sum(lengths[:4])),
        (3, 12, sum(lengths)),
    ]
    assert [b.flops for b in budgets] == [6.0 * every * b.tokens for b in budgets]
    assert torch.is_grad_enabled()
