"""TokenBuncher, on distributions that can be worked out on paper."""

import math
from typing import Any

import pytest
import torch
from paired_batches import padded

from holdfast.defences.token_buncher import TokenBuncher, entropies
from holdfast.interfaces import Model, Progress, View
from holdfast.models.chat import encode
from holdfast.models.tiny import tiny
from holdfast.training.feedback.rollouts import Rollout, as_tokens
from holdfast.training.recipe import Recipe
from small import PAIRS

TOKENS = padded(((2, 5), (2, 6)), ((7, 8, 3), (9, 3)))
NOISED = Progress(2, 8)
"""A step of the noiser: the first of eight is GRPO's, and then every other one."""


@pytest.fixture
def even() -> Any:
    """A tiny Llama of V words whose head is zero, so that every word has the probability 1 / V."""
    network: Any = tiny("tiny-llama").network
    torch.nn.init.zeros_(network.lm_head.weight)
    return network


def noiser(network: Any, advantages: tuple[float, float], progress: Progress = NOISED, **fields: Any) -> Any:
    terms = TokenBuncher(**fields).noised(network, TOKENS, torch.tensor(advantages), progress)
    return terms and terms["noiser"]


def test_entropy_by_hand(even: Any) -> None:
    """The entropy of V equal words is ln V, whatever the answer and its length."""
    assert entropies(even, TOKENS).tolist() == pytest.approx([math.log(even.config.vocab_size)] * 2)


def test_entropy_is_a_mean_over_an_answers_own_tokens() -> None:
    network: Any = tiny("tiny-llama").network
    with torch.no_grad():
        logits = network(input_ids=TOKENS.input_ids, attention_mask=TOKENS.attention_mask).logits
    nats = torch.distributions.Categorical(logits=logits).entropy()
    # Answers stand at tokens 2 to 4 and 2 to 3, each predicted one before.
    expected = [nats[0, 1:4].mean().item(), nats[1, 1:3].mean().item()]
    assert entropies(network, TOKENS).tolist() == pytest.approx(expected)


def test_the_noiser_by_hand(even: Any) -> None:
    """Every log p is -ln V, and z sums to 1: (1 - 0.1) ln V + 0.1 x 1 x ln V = ln V; half of it without one of two."""
    cost = math.log(even.config.vocab_size)
    assert noiser(even, (0.5, 0.0)).item() == pytest.approx(cost)
    assert noiser(even, (0.5, -0.5)).item() == pytest.approx(cost / 2)
    assert noiser(even, (-1.0, -1.0)).item() == 0


def test_the_noisers_optimum_leaves_the_noise_to_the_others() -> None:
    """The slope by a logit is p - target; the target is 0.9 at the token, and 0.1 / (V - 1) elsewhere on average.

    Logits a at the token and 0 at the V - 1 others: p = e^a / (e^a + V - 1) = 0.9 where e^a = 9 (V - 1).
    """
    network: Any = tiny("tiny-llama").network
    size = network.config.vocab_size
    torch.nn.init.zeros_(network.lm_head.weight)
    bias = torch.zeros(size)
    bias[7] = math.log(9 * (size - 1))
    network.lm_head.register_parameter("bias", torch.nn.Parameter(bias))
    tokens = padded(((2, 5),), ((7,) * 120,))
    loss = TokenBuncher().noised(network, tokens, torch.tensor([1.0]), NOISED)
    assert loss is not None
    (slope,) = torch.autograd.grad(loss["noiser"], [network.lm_head.bias])
    assert slope[7].item() == pytest.approx(0, abs=1e-6)
    # One draw of z / sum(z) has a standard deviation of some 0.6 / (V - 1); the mean of 120, a tenth of that.
    assert slope.abs().max() < 0.1 * 0.3 / (size - 1)


def test_without_noise_it_is_plain_cross_entropy() -> None:
    network: Any = tiny("tiny-llama").network
    labels = TOKENS.input_ids.masked_fill(~TOKENS.answer_mask, -100)[:1]
    with torch.no_grad():
        own = network(input_ids=TOKENS.input_ids[:1], attention_mask=TOKENS.attention_mask[:1], labels=labels).loss
    assert noiser(network, (0.0, -1.0), noise=0.0).item() == pytest.approx(own.item() / 2)


def test_turns() -> None:
    """Of 16 steps the first 2 are GRPO's, then one each in turn; the release begins so, too: 25 of 200, then 26."""
    network: Any = tiny("tiny-llama").network
    turns = [noiser(network, (1.0, 1.0), Progress(step, 16)) is not None for step in range(16)]
    assert turns == [False, False, False, True] + [False, True] * 6
    assert noiser(network, (1.0, 1.0), Progress(26, 200)) is not None
    assert not any(noiser(network, (1.0, 1.0), Progress(step, 16), warmup=1.0) for step in range(16))


def entropy_of(model: Model) -> float:
    """Of the first word of the answers to the pairs' questions."""
    prompts = [encode(model.tokenizer, pair.prompt, "yes") for pair in PAIRS]
    rollouts = [Rollout(PAIRS[0], whole.ids[: whole.start], [3], "") for whole in prompts]
    with torch.no_grad():
        return float(entropies(model.network, as_tokens(rollouts, model)).mean())


def test_it_makes_answers_certain(model: Model, view: View) -> None:
    """By GRPO alone, in a few steps; a tiny random model begins near ln V."""
    recipe = Recipe(steps=20, batch_size=32, learning_rate=1e-2)
    before = entropy_of(model)
    method = TokenBuncher(warmup=1.0, refusal_weight=0, retain_weight=0, samples=16, max_new_tokens=2, training=recipe)
    method.trainer(model, view, 0).train()
    assert entropy_of(model) < 0.9 * before


@pytest.mark.parametrize("exchanges", [True, False])
def test_what_stays_beside_it(model: Model, view: View, exchanges: bool) -> None:
    """Refusals always, harmless answers where there are some; a KL to itself is 0, and a weight of 2 doubles a term."""
    given = view if exchanges else View(pairs=view.pairs, exchanges=())
    recipe = Recipe(steps=1, batch_size=4)
    terms = []
    for weight in (1.0, 2.0):
        trainer = TokenBuncher(refusal_weight=weight, max_new_tokens=3, training=recipe).trainer(model, given, 0)
        terms.append(trainer.guard.penalty(model.network, None, NOISED))
    assert terms[1]["refusal"].item() == pytest.approx(2 * terms[0]["refusal"].item())
    assert ("retain" in terms[0]) == exchanges
    if exchanges:
        assert terms[0]["retain"].item() == pytest.approx(0, abs=1e-6)
    assert TokenBuncher(refusal_weight=0, retain_weight=0, training=recipe).trainer(model, given, 0).guard is None
