"""Negative preference optimisation, on numbers that can be checked on paper."""

import math
from typing import Any

import pytest
import torch
from paired_batches import make_batch

from holdfast.defences.npo import NPO
from holdfast.interfaces import Model, Progress, View
from holdfast.models.tiny import tiny
from holdfast.training.terms.answers import answer_costs

NOW = Progress(0, 10)
EMPTY = View(pairs=(), exchanges=())


@pytest.fixture
def even() -> Model:
    """A tiny Llama of V words whose head is zero, so that every word costs ln V."""
    model = tiny("tiny-llama")
    network: Any = model.network
    torch.nn.init.zeros_(network.lm_head.weight)
    return model


def gradient(terms: dict[str, torch.Tensor], network: Any) -> torch.Tensor:
    """The gradient of the forgetting term by the last block's MLP, as one vector."""
    network.zero_grad()
    terms["forget"].backward()
    return network.model.layers[-1].mlp.down_proj.weight.grad.flatten().clone()


def test_the_sum_at_the_start_by_hand(even: Model) -> None:
    """Nothing is forgotten yet: -(2 / .1) log sigmoid(0) = 20 ln 2. Every token costs ln V, whatever its role."""
    network: Any = even.network
    cost, method = math.log(network.config.vocab_size), NPO(forget_weight=0.5, refusal_weight=3.0, retain_weight=2.0)
    started = method.start(even, EMPTY, 0)
    terms = started.loss(network, make_batch(retain=((10, 3), (11, 3))), NOW)
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(
        {"forget": 0.5 * 20 * math.log(2), "refusal": 3 * cost, "retain": 2 * cost}
    )
    assert "retain" not in started.loss(network, make_batch(), NOW)
    alone = NPO(refusal_weight=0.0, retain_weight=0.0).start(even, EMPTY, 0)
    assert list(alone.loss(network, make_batch(retain=((10, 3), (11, 3))), NOW)) == ["forget"]


def test_forgotten_by_a_known_amount(even: Model) -> None:
    """The reference gives every token 1 / V; the model 1 / 2 to each of two words, of which the answers are made.

    Answers of 4 and 3 tokens: NLL - NLL_ref = n (ln 2 - ln V), so the loss is the mean of
    2 / beta log(1 + (V / 2)^(n beta)).
    """
    network: Any = even.network
    words, size = 2, network.config.vocab_size
    batch = make_batch(harmful=((10, 11, 10, 11), (11, 10, 11)))
    started = NPO(beta=0.5).start(even, EMPTY, 0)
    certain(network)
    torch.testing.assert_close(answer_costs(network, batch["harmful"]), torch.tensor([4.0, 3.0]) * math.log(words))
    expected = sum(2 / 0.5 * math.log(1 + (size / words) ** (n * 0.5)) for n in (4, 3)) / 2
    assert started.loss(network, batch, NOW)["forget"].item() == pytest.approx(expected)


def certain(network: Any) -> None:
    """Make words 10 and 11 equally likely and all others impossible, after any text."""
    network.model.norm.weight.data.fill_(0)
    head = torch.nn.Linear(network.config.hidden_size, network.config.vocab_size)
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.constant_(head.bias, -1e4)
    head.bias.data[[10, 11]] = 0
    network.set_output_embeddings(head)


def test_the_gradient_is_that_of_ascent_and_fades() -> None:
    """Ascent's times 2 / (1 + e^(beta (NLL - NLL_ref))): 1 at the start, and less with every nat forgotten.

    The surer reference gives the answer's three words 1 / 2 each, so NLL_ref = 3 ln 2.
    """
    model = tiny("tiny-llama")
    network: Any = model.network
    batch, started = make_batch(prompts=((2, 5),), harmful=((10, 11, 10),), refusal=((15, 3),)), NPO(beta=1.0)
    started = started.start(model, EMPTY, 0)
    cost = answer_costs(network, batch["harmful"]).mean()
    ascent = gradient({"forget": -cost}, network)
    torch.testing.assert_close(gradient(started.loss(network, batch, NOW), network), ascent)
    certain(started.reference)
    factor = 2 / (1 + math.exp(cost.item() - 3 * math.log(2)))
    assert factor < 0.01
    torch.testing.assert_close(gradient(started.loss(network, batch, NOW), network), factor * ascent)


def test_a_step_forgets_and_the_reference_stays() -> None:
    model = tiny("tiny-llama")
    network: Any = model.network
    batch, started = make_batch(retain=((10, 3), (11, 3))), NPO().start(model, EMPTY, 0)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01)
    cost = answer_costs(started.reference, batch["harmful"])
    before = started.loss(network, batch, NOW)
    torch.stack(list(before.values())).sum().backward()
    optimiser.step()
    after = started.loss(network, batch, NOW)
    assert {name for name in before if after[name] < before[name]} == set(before)
    assert torch.equal(answer_costs(started.reference, batch["harmful"]), cost)
    assert all(weight.grad is None and not weight.requires_grad for weight in started.reference.parameters())
