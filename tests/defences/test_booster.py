"""Booster, against its formula written out, and on numbers that can be checked on paper."""

import copy
import math
from typing import Any

import pytest
import torch
from paired_batches import make_batch
from torch import Tensor

from holdfast.defences.booster import Booster
from holdfast.interfaces import Progress
from holdfast.models.tiny import tiny
from holdfast.training.terms.answers import answer_loss
from holdfast.training.weights import inner

NOW = Progress(0, 10)
BATCH = make_batch(retain=((10, 3), (11, 3)))


@pytest.fixture
def network() -> Any:
    return tiny("tiny-llama").network


def slope(network: Any, role: str) -> tuple[Tensor, list[Tensor]]:
    loss = answer_loss(network, BATCH[role])
    return loss.detach(), list(torch.autograd.grad(loss, list(network.parameters())))


def test_against_the_formula(network: Any) -> None:
    """Grad f + 2 grad r + 3 (grad h(w) - grad h(w')), w' in a copy moved by hand to length 0.5 down the slope."""
    (f, of_f), (r, of_r), (h, of_h) = (slope(network, role) for role in ("refusal", "retain", "harmful"))
    length = torch.cat([part.flatten() for part in of_h]).norm()
    moved = copy.deepcopy(network)
    with torch.no_grad():
        for weight, part in zip(moved.parameters(), of_h, strict=True):
            weight -= 0.5 * part / length
    after, of_after = slope(moved, "harmful")
    terms, gradient = Booster(attenuation_weight=3, step_length=0.5, retain_weight=2).gradient(network, BATCH, NOW)
    assert {name: float(term) for name, term in terms.items()} == pytest.approx(
        {"refusal": float(f), "retain": 2 * float(r), "attenuation": 3 * float(h - after)}, rel=1e-4
    )
    for found, a, b, c, d in zip(gradient.values(), of_f, of_r, of_h, of_after, strict=True):
        torch.testing.assert_close(found, a + 2 * b + 3 * (c - d))


def test_a_short_step_gains_its_length_times_the_slope(network: Any) -> None:
    """H(w) - h(w - a g / |g|) is a |g| to first order."""
    steep = float(torch.cat([part.flatten() for part in slope(network, "harmful")[1]]).norm())
    terms, _ = Booster(attenuation_weight=1, step_length=1e-3).gradient(network, BATCH, NOW)
    assert float(terms["attenuation"]) == pytest.approx(1e-3 * steep, rel=0.02)


def test_the_sum_by_hand(network: Any) -> None:
    """With a head of zeros every word costs ln V; without terms or data there is nothing but the refusal."""
    torch.nn.init.zeros_(network.lm_head.weight)
    cost = math.log(network.config.vocab_size)
    terms, _ = Booster(retain_weight=2.0).gradient(network, BATCH, NOW)
    assert float(terms["refusal"]) == pytest.approx(cost)
    assert float(terms["retain"]) == pytest.approx(2 * cost)
    assert list(Booster().gradient(network, make_batch(), NOW)[0]) == ["refusal", "attenuation"]
    assert list(Booster(attenuation_weight=0, retain_weight=0).gradient(network, BATCH, NOW)[0]) == ["refusal"]


def test_weights_are_as_before_to_the_bit(network: Any) -> None:
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    Booster().gradient(network, BATCH, NOW)
    for name, weight in network.named_parameters():
        assert torch.equal(weight, before[name])
        assert weight.grad is None


def test_nothing_to_gain_is_no_error(network: Any) -> None:
    """No gradient, no direction: the step stays where it is, and the regulariser is 0."""
    network.requires_grad_(False)
    network.lm_head.weight.requires_grad_(True)
    torch.nn.init.zeros_(network.model.norm.weight)  # every state is 0, so the head has no slope either
    terms, gradient = Booster().gradient(network, BATCH, NOW)
    assert float(terms["attenuation"]) == 0
    assert all((part == 0).all() for part in gradient.values())


def test_steps_make_a_harmful_step_gain_less(network: Any) -> None:
    method, gains = Booster(attenuation_weight=5.0), []
    for _ in range(10):
        terms, gradient = method.gradient(network, BATCH, NOW)
        gains.append(float(terms["attenuation"]))
        inner.shift(network, gradient, -0.01)
    assert gains[-1] < 0.9 * gains[0]


def test_both_passes_have_the_same_dropout() -> None:
    """GPT-2 drops out while it trains: a step of no length gains nothing, only if the draws are the same."""
    network: Any = tiny("tiny-gpt2").network.train()
    terms, _ = Booster(attenuation_weight=1.0, step_length=1e-9).gradient(network, BATCH, NOW)
    assert float(terms["attenuation"]) == pytest.approx(0, abs=1e-5)
