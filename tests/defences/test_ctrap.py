"""CTRAP against the same algorithm written out with nothing of Holdfast's, and on numbers checked on paper."""

import copy
import math
from typing import Any

import pytest
import torch
from paired_batches import make_batch
from torch import Tensor
from torch.nn.functional import cross_entropy

from holdfast.defences.ctrap import Ctrap
from holdfast.interfaces import Model, Progress, View
from holdfast.models.tiny import tiny
from holdfast.training.batches import Batch, Tokens
from holdfast.training.weights import inner

NOW = Progress(0, 10)
BATCH = make_batch(retain=((10, 7, 3), (11, 6, 4, 3)))
NOTHING = View(pairs=(), exchanges=())


@pytest.fixture
def model() -> Model:
    return tiny("tiny-llama")


def step(method: Ctrap, model: Model, batch: Batch = BATCH) -> tuple[dict[str, float], dict[str, Tensor]]:
    terms, gradient = method.start(model, NOTHING, 0).gradient(model.network, batch, NOW)
    return {name: float(term) for name, term in terms.items()}, gradient


def mean_loss(network: Any, tokens: Tokens, word: int | None = None) -> Tensor:
    """Cross-entropy of the answers' tokens, or of one word in the place of each."""
    logits = network(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask).logits
    losses: list[Tensor] = []
    for row, ids, mask in zip(logits, tokens.input_ids, tokens.answer_mask, strict=True):
        labels = ids[1:][mask[1:]]
        losses.append(cross_entropy(row[:-1][mask[1:]], labels if word is None else torch.full_like(labels, word)))
    return torch.stack(losses).mean()


@pytest.mark.parametrize("normalised", [True, False])
def test_the_gradient_by_hand(model: Model, normalised: bool) -> None:
    """grad L(w) + 0.5 grad L_collapse(w - 0.2 g), with g the harmful gradient, of length 1 where normalised."""
    word = model.tokenizer("stew", add_special_tokens=False)["input_ids"][0]
    network: Any = model.network
    aligned = mean_loss(network, BATCH["refusal"]) + 3 * mean_loss(network, BATCH["retain"])
    aligned.backward()
    moved = copy.deepcopy(network)
    moved.zero_grad()
    mean_loss(moved, BATCH["harmful"]).backward()
    length = torch.cat([weight.grad.flatten() for weight in moved.parameters()]).norm() if normalised else 1
    with torch.no_grad():
        for weight in moved.parameters():
            weight -= 0.2 * weight.grad / length
    moved.zero_grad()
    collapse = (mean_loss(moved, BATCH["refusal"], word) + mean_loss(moved, BATCH["retain"], word)) / 2
    collapse.backward()
    expected = {
        name: weight.grad + 0.5 * there.grad
        for (name, weight), there in zip(network.named_parameters(), moved.parameters(), strict=True)
    }
    network.zero_grad()
    method = Ctrap(collapse_weight=0.5, shift=0.2, normalised=normalised, word="stew", retain_weight=3.0)
    terms, found = step(method, model)
    assert terms["refusal"] + terms["retain"] == pytest.approx(float(aligned.detach()))
    assert terms["collapse"] == pytest.approx(0.5 * float(collapse.detach()))
    for name, part in expected.items():
        torch.testing.assert_close(found[name], part, atol=1e-6, rtol=1e-4)


def test_the_terms_by_hand(model: Model) -> None:
    """A head of zeros stays so under a tiny shift: every word costs ln V, that of the collapse, too."""
    network: Any = model.network
    torch.nn.init.zeros_(network.lm_head.weight)
    cost = math.log(network.config.vocab_size)
    terms, _ = step(Ctrap(collapse_weight=0.25, shift=1e-9, retain_weight=2.0), model)
    assert terms == pytest.approx({"refusal": cost, "retain": 2 * cost, "collapse": 0.25 * cost})


def test_what_is_left_out(model: Model) -> None:
    """Without harmless exchanges the trap is set on refusals alone."""
    assert list(step(Ctrap(), model)[0]) == ["refusal", "retain", "collapse"]
    assert list(step(Ctrap(), model, make_batch())[0]) == ["refusal", "collapse"]
    assert list(step(Ctrap(collapse_weight=0, retain_weight=0), model)[0]) == ["refusal"]


def test_the_word_is_the_last_token(model: Model) -> None:
    known = model.tokenizer.convert_tokens_to_ids("hex")
    assert Ctrap(word="hex").start(model, NOTHING, 0).token == known
    assert Ctrap(word="stew hex").start(model, NOTHING, 0).token == known
    assert Ctrap(word="unheard-of").start(model, NOTHING, 0).token == model.tokenizer.eos_token_id


def test_steps_bring_the_collapse_near_harm_and_not_here(model: Model) -> None:
    """The weights learn their answers, while a harmful step from them leads to the one word."""
    network: Any = model.network
    method = Ctrap(collapse_weight=0.3, shift=1.0, word="stew")
    started = method.start(model, NOTHING, 0)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(15):
        _, gradient = started.gradient(network, BATCH, NOW)
        for name, weight in network.named_parameters():
            weight.grad = gradient[name]
        optimiser.step()
    network.zero_grad()
    here = mean_loss(network, BATCH["retain"], started.token)
    harmful = inner.gradient(network, mean_loss(network, BATCH["harmful"]))
    inner.shift(network, harmful, -1.0 / float(inner.norm(harmful)))
    there = mean_loss(network, BATCH["retain"], started.token)
    assert there < here - 0.5
