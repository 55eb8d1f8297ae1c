"""The adversarial loss, on numbers that can be checked on paper."""

import math
from typing import Any

import pytest
import torch
from paired_batches import make_batch

from holdfast.defences.adversarial import Adversarial
from holdfast.interfaces import Progress
from holdfast.models.tiny import tiny

NOW = Progress(0, 10)


@pytest.fixture
def even() -> Any:
    """A tiny Llama of V words whose head is zero, so that every word costs ln V."""
    network: Any = tiny("tiny-llama").network
    torch.nn.init.zeros_(network.lm_head.weight)
    return network


def test_the_sum_by_hand(even: Any) -> None:
    """With every token at ln V, L = (1 + 2 - 0.25) ln V."""
    cost = math.log(even.config.vocab_size)
    terms = Adversarial(ascent_weight=0.25, retain_weight=2.0).loss(even, make_batch(retain=((10, 3), (11, 3))), NOW)
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(
        {"refusal": cost, "retain": 2 * cost, "harmful": -0.25 * cost}
    )
    assert "retain" not in Adversarial(ascent_weight=0.25, retain_weight=2.0).loss(even, make_batch(), NOW)
    assert list(Adversarial(ascent_weight=0.0).loss(even, make_batch(), NOW)) == ["refusal"]
    assert list(Adversarial(refusal_weight=0.0).loss(even, make_batch(), NOW)) == ["harmful"]
    half = Adversarial(refusal_weight=0.5).loss(even, make_batch(), NOW)
    assert half["refusal"].item() == pytest.approx(0.5 * cost)


def test_a_step_unlearns_harmful_answers() -> None:
    network: Any = tiny("tiny-llama").network
    batch, method = make_batch(), Adversarial(ascent_weight=1.0, bounded=False)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    before = method.loss(network, batch, NOW)
    torch.stack(list(before.values())).sum().backward()
    optimiser.step()
    after = method.loss(network, batch, NOW)
    assert after["refusal"] < before["refusal"]
    assert after["harmful"] < before["harmful"]


def test_bounded_by_what_guessing_gives(even: Any) -> None:
    """Word 10 made ever less likely: its cost rises beyond ln V, but counts ln V and gives no gradient."""
    batch = make_batch(harmful=((10, 10), (10, 10)))
    state = even(input_ids=batch["harmful"].input_ids, output_hidden_states=True).hidden_states[-1].detach()
    with torch.no_grad():
        even.lm_head.weight[10] = -state[:, 2:4].mean((0, 1))
    guessing = math.log(even.config.vocab_size)
    for bounded in (True, False):
        even.zero_grad()
        term = Adversarial(ascent_weight=1.0, bounded=bounded).loss(even, batch, NOW)["harmful"]
        term.backward()
        if bounded:
            assert term.item() == pytest.approx(-guessing)
            assert even.lm_head.weight.grad.norm() == 0
        else:
            assert term.item() < -guessing
            assert even.lm_head.weight.grad.norm() > 0
