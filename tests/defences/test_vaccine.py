"""Vaccine, on numbers that can be checked on paper."""

import math
from typing import Any

import pytest
import torch
from paired_batches import make_batch
from torch import Tensor

from holdfast.defences.vaccine import Vaccine
from holdfast.interfaces import Progress, View
from holdfast.models.anatomy import anatomy
from holdfast.models.perturb import slopes
from holdfast.models.tiny import tiny
from holdfast.training.batches import Batch, Tokens
from holdfast.training.terms.answers import answer_loss
from holdfast.training.weights import inner
from small import PAIRS

NOW = Progress(0, 10)
BATCH = make_batch(retain=((10, 3), (11, 3)))


@pytest.fixture
def network() -> Any:
    return tiny("tiny-llama").network


def row(batch: Batch, at: int) -> Batch:
    part = slice(at, at + 1)
    return {
        role: Tokens(
            input_ids=tokens.input_ids[part],
            attention_mask=tokens.attention_mask[part],
            answer_mask=tokens.answer_mask[part],
            keys=tokens.keys[part],
        )
        for role, tokens in batch.items()
    }


def apart(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    """How far two directions are apart, over the length of the first."""
    return float(inner.norm(inner.combined((1.0, one), (-1.0, other))) / inner.norm(one))


def test_the_sum_by_hand(network: Any) -> None:
    """With a head of zeros every word costs ln V wherever the states are, so the slopes are 0: ln V + 2 ln V."""
    torch.nn.init.zeros_(network.lm_head.weight)
    cost = math.log(network.config.vocab_size)
    terms, gradient = Vaccine(retain_weight=2.0).gradient(network, BATCH, NOW)
    assert {name: float(term) for name, term in terms.items()} == pytest.approx({"perturbed": cost, "retain": 2 * cost})
    assert all(part.isfinite().all() for part in gradient.values())
    assert list(Vaccine().gradient(network, make_batch(), NOW)[0]) == ["perturbed"]
    assert list(Vaccine(retain_weight=0).gradient(network, BATCH, NOW)[0]) == ["perturbed"]


def test_without_a_radius_it_is_plain_training(network: Any) -> None:
    terms, gradient = Vaccine(radius=0, retain_weight=0.5).gradient(network, BATCH, NOW)
    plain = answer_loss(network, BATCH["refusal"]) + 0.5 * answer_loss(network, BATCH["retain"])
    assert float(sum(terms.values())) == pytest.approx(float(plain.detach()))
    assert apart(inner.gradient(network, plain), gradient) < 1e-6


def test_a_short_perturbation_adds_its_length_times_the_slope(network: Any) -> None:
    """Each row has its own, so the mean rises by rho x the sum over rows of ||(g_1, g_2, g_3)||."""
    found = slopes(anatomy(network).attentions, lambda: answer_loss(network, BATCH["refusal"]))
    steep = float(torch.stack([slope.flatten(1).norm(dim=1) for slope in found]).norm(dim=0).sum())
    before = float(answer_loss(network, BATCH["refusal"]).detach())
    terms, _ = Vaccine(radius=0.01).gradient(network, BATCH, NOW)
    assert float(terms["perturbed"]) - before == pytest.approx(0.01 * steep, rel=0.03)


def test_rows_do_not_depend_on_each_other_unless_shared(network: Any) -> None:
    for shared in (False, True):
        method = Vaccine(radius=5.0, shared=shared)
        whole = method.gradient(network, BATCH, NOW)[1]
        rows = [method.gradient(network, row(BATCH, at), NOW)[1] for at in (0, 1)]
        difference = apart(whole, inner.combined((0.5, rows[0]), (0.5, rows[1])))
        assert (difference < 1e-5) != shared, difference


def test_steps_withstand_the_perturbation(network: Any) -> None:
    """And nothing but the weights has changed: no hook, no gradient, no mode."""
    method, said = Vaccine(radius=1.0), []
    for _ in range(5):
        terms, gradient = method.gradient(network, BATCH, NOW)
        said.append(float(terms["perturbed"]))
        inner.shift(network, gradient, -0.05)
    assert said == sorted(said, reverse=True)
    assert not any(part._forward_hooks or part._backward_hooks for part in network.modules())
    assert all(weight.grad is None and weight.requires_grad for weight in network.parameters())


def test_it_sees_no_harmful_answer() -> None:
    first = next(Vaccine().rows(View(pairs=PAIRS, exchanges=[]), 0))
    assert list(first) == ["refusal"]
