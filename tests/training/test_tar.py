"""TAR through the harness against the same algorithm written out with nothing of Holdfast's.

A micro-batch's gradient, with K = 4, a look after inner steps 2 and 4, lambda_TR 4 and lambda 1/16:

    grad L_retain(w) + 4 exp(-2/16) grad L_TR(w_2) + 4 exp(0) grad L_TR(w_4)

and the step's is the mean over its micro-batches. Plain gradient descent at rate 1 then shows it:
w_before - w_after.
"""

import copy
import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from holdfast.interfaces import Exchange
from holdfast.models.chat import encode
from holdfast.training.recipe import Recipe
from holdfast.training.run import apply
from prototypes.tar import Tar


def logits_and_labels(network: Any, tokenizer: Any, exchange: Exchange) -> tuple[Tensor, Tensor]:
    """Logits that predict the answer's tokens, and those tokens."""
    ids, start = encode(tokenizer, exchange.prompt, exchange.answer)
    logits = network(input_ids=torch.tensor([ids])).logits[0, start - 1 : -1]
    return logits, torch.tensor(ids[start:])


def cross_entropy(network: Any, tokenizer: Any, exchanges: list[Exchange]) -> Tensor:
    return torch.stack([functional.cross_entropy(*logits_and_labels(network, tokenizer, e)) for e in exchanges]).mean()


def negative_entropy(network: Any, tokenizer: Any, exchanges: list[Exchange]) -> Tensor:
    found = []
    for exchange in exchanges:
        p = torch.softmax(logits_and_labels(network, tokenizer, exchange)[0], -1)
        found.append((p * p.log()).sum(-1).mean())
    return torch.stack(found).mean()


def by_hand(network: Any, tokenizer: Any, rows: list[dict[str, Exchange]]) -> list[Tensor]:
    """The gradient of one micro-batch."""

    def gradient(at: Any, loss: Tensor) -> tuple[Tensor, ...]:
        return torch.autograd.grad(loss, list(at.parameters()))

    total = gradient(network, cross_entropy(network, tokenizer, [row["refusal"] for row in rows]))
    attacked = copy.deepcopy(network)
    adversary = torch.optim.AdamW(attacked.parameters(), lr=1e-3, weight_decay=0.0)
    for step in range(4):
        adversary.zero_grad()
        cross_entropy(attacked, tokenizer, [row[f"attack-{step}"] for row in rows]).backward()
        adversary.step()
        if step in (1, 3):
            loss = negative_entropy(attacked, tokenizer, [row["held_out"] for row in rows])
            weight = 4 * math.exp(0.0625 * (step - 3))
            total = [one + weight * two for one, two in zip(total, gradient(attacked, loss), strict=True)]
    return list(total)


@pytest.mark.parametrize("accumulation", [1, 2, 4])
def test_the_accumulated_gradient(model, view, accumulation):
    recipe = Recipe(
        steps=1, batch_size=8, accumulation=accumulation, optimiser="sgd", learning_rate=1.0, max_grad_norm=0
    )
    method = Tar(training=recipe)
    rows = list(itertools.islice(method.rows(view, 3), 8))
    size = 8 // accumulation
    parts = [by_hand(model.network, model.tokenizer, rows[at : at + size]) for at in range(0, 8, size)]
    expected = [torch.stack(part).mean(0) for part in zip(*parts, strict=True)]
    before = copy.deepcopy(model.network)
    apply(method, model, view, seed=3)
    for was, now, gradient in zip(before.parameters(), model.network.parameters(), expected, strict=True):
        torch.testing.assert_close(was - now, gradient, atol=1e-6, rtol=1e-5)
