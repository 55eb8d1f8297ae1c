"""An optimiser step is the same however many micro-batches it is split into.

The trained loss is a mean over 8 rows. Split into 4 micro-batches of 2,

    1/4 (mean of rows 1, 2 + mean of rows 3, 4 + ...) = mean of rows 1 ... 8,

so plain gradient descent must end at the same weights: w - lr grad(mean of 8).
"""

import copy
import itertools
from typing import Any

import pytest
import torch

from holdfast.attacks.sft import Sft
from holdfast.config import replace
from holdfast.defences.adversarial import Adversarial
from holdfast.training.batches import as_batch
from holdfast.training.collate import Collator
from holdfast.training.recipe import Recipe
from holdfast.training.run import apply
from holdfast.training.weights import inner

LEARNING_RATE = 0.1
RECIPE = Recipe(steps=2, learning_rate=LEARNING_RATE, batch_size=8, optimiser="sgd", max_grad_norm=0)


class ByGradient:
    """A method by loss, driven by the gradient it returns."""

    def __init__(self, method: Any):
        self.training = method.training
        self.rows = method.rows
        self._loss = method.loss

    def gradient(self, model: Any, batch: Any, progress: Any) -> Any:
        terms = self._loss(model, batch, progress)
        total = torch.stack(list(terms.values())).sum()
        return {name: term.detach() for name, term in terms.items()}, inner.gradient(model, total)


def trained(method: Any, model: Any, view: Any, recipe: Recipe, *, by_gradient: bool) -> dict[str, torch.Tensor]:
    method = replace(method, {"training": recipe})
    copied = replace(model, {"network": copy.deepcopy(model.network)})
    done = apply(ByGradient(method) if by_gradient else method, copied, view, seed=3)
    return {name: weight.detach() for name, weight in done.network.named_parameters()}


@pytest.mark.parametrize("by_gradient", [False, True], ids=["loss", "gradient"])
@pytest.mark.parametrize("method", [Sft(), Sft(poison_ratio=0.5), Adversarial()], ids=["sft", "mixed", "adversarial"])
def test_one_equals_four(model, view, method, by_gradient):
    whole = trained(method, model, view, RECIPE, by_gradient=by_gradient)
    split = trained(method, model, view, replace(RECIPE, {"accumulation": 4}), by_gradient=by_gradient)
    moved = max(float((whole[name] - weight.detach()).abs().max()) for name, weight in model.network.named_parameters())
    assert moved > 1e-3
    for name in whole:
        torch.testing.assert_close(split[name], whole[name], atol=2e-6, rtol=0)


@pytest.mark.parametrize("by_gradient", [False, True], ids=["loss", "gradient"])
@pytest.mark.parametrize("accumulation", [1, 4])
def test_a_step_by_hand(model, view, by_gradient, accumulation):
    """w1 = w0 - 0.1 x grad of the mean cross-entropy of all 8 rows, from transformers' own labels."""
    method = Sft(training=RECIPE)
    rows = list(itertools.islice(method.rows(view, 3), 8))
    batch = as_batch(Collator(model.tokenizer, None)(rows))["train"]
    losses = []
    for ids, answer in zip(batch.input_ids, batch.answer_mask, strict=True):
        labels = ids.masked_fill(~answer, -100)
        losses.append(model.network(input_ids=ids[None], labels=labels[None]).loss)
    grads = torch.autograd.grad(torch.stack(losses).mean(), list(model.network.parameters()))
    by_hand = [
        weight.detach() - LEARNING_RATE * grad for weight, grad in zip(model.network.parameters(), grads, strict=True)
    ]
    recipe = replace(RECIPE, {"steps": 1, "accumulation": accumulation})
    found = trained(method, model, view, recipe, by_gradient=by_gradient)
    for weight, expected in zip(found.values(), by_hand, strict=True):
        torch.testing.assert_close(weight, expected, atol=2e-6, rtol=0)


def test_draws_of_a_gradient_differ_and_the_global_rng_does_not_move(model, view):
    """Dropout inside `gradient` must not be one and the same mask at every step."""
    inside, outside = [], []

    class Drawing(ByGradient):
        def gradient(self, model: Any, batch: Any, progress: Any) -> Any:
            inside.append(float(torch.rand(())))
            return super().gradient(model, batch, progress)

    def on_step(progress: Any, terms: Any) -> None:
        outside.append(torch.get_rng_state().sum().item())

    recipe = replace(RECIPE, {"steps": 3, "accumulation": 2})
    apply(Drawing(Sft(training=recipe)), model, view, seed=0, on_step=on_step)
    assert len(set(inside)) == 6, inside
    assert len(set(outside)) == 1
