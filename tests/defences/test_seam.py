"""SEAM, on numbers that can be checked on paper, and its estimate against the exact gradient."""

import math
from typing import Any

import pytest
import torch
from paired_batches import make_batch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import cross_entropy

from holdfast.defences.seam import Seam
from holdfast.errors import ModelError
from holdfast.interfaces import Progress
from holdfast.models.tiny import tiny
from holdfast.training.batches import Tokens
from holdfast.training.weights import inner

NOW = Progress(0, 10)
BATCH = make_batch(retain=((10, 7, 3), (11, 6, 4, 3)))


@pytest.fixture
def network() -> Any:
    return tiny("tiny-llama").network


def terms_of(method: Seam, network: Any, batch: Any = BATCH) -> dict[str, float]:
    return {name: float(term.detach()) for name, term in method.gradient(network, batch, NOW)[0].items()}


def test_the_sum_by_hand(network: Any) -> None:
    """Every word costs ln V at every layer, so L_ul = -log(1 + ln V)."""
    torch.nn.init.zeros_(network.lm_head.weight)
    cost = math.log(network.config.vocab_size)
    method = Seam(ascent_weight=0.5, retain_weight=2.0, coupling_weight=0)
    assert terms_of(method, network) == pytest.approx(
        {"refusal": cost, "retain": 2 * cost, "ascent": -0.5 * math.log(1 + cost)}
    )


def test_what_is_left_out(network: Any) -> None:
    """Without harmless exchanges there is nothing to couple to; weights of 0 leave terms out."""
    assert list(terms_of(Seam(), network)) == ["refusal", "retain", "ascent", "coupling"]
    assert list(terms_of(Seam(), network, make_batch())) == ["refusal", "ascent"]
    assert list(terms_of(Seam(retain_weight=0, ascent_weight=0), network)) == ["refusal", "coupling"]
    assert list(terms_of(Seam(retain_weight=0, ascent_weight=0, coupling_weight=0), network)) == ["refusal"]


def exact(network: Any, harmful: Tokens, harmless: Tokens) -> tuple[float, dict[str, Tensor]]:
    """cos(g_a, g_b) and its gradient by differentiating twice, with nothing of Holdfast's."""
    weights = dict(network.named_parameters())

    def slope(tokens: Tokens) -> Tensor:
        logits = network(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask).logits
        rows = [
            cross_entropy(row[:-1][mask[1:]], ids[1:][mask[1:]])
            for row, ids, mask in zip(logits, tokens.input_ids, tokens.answer_mask, strict=True)
        ]
        parts = torch.autograd.grad(torch.stack(rows).mean(), list(weights.values()), create_graph=True)
        return torch.cat([part.flatten() for part in parts])

    with sdpa_kernel(SDPBackend.MATH):
        cosine = torch.cosine_similarity(slope(harmful), slope(harmless), dim=0)
        found = torch.autograd.grad(cosine, list(weights.values()))
    return float(cosine.detach()), dict(zip(weights, found, strict=True))


def test_the_estimate_is_the_gradient_of_the_cosine(network: Any) -> None:
    """The whole gradient with the coupling, less the one without it, is beta times that of cos(g_a, g_b)."""
    network.double()
    cosine, expected = exact(network, BATCH["harmful"], BATCH["retain"])
    terms, coupled = Seam(coupling_weight=2.0, epsilon=1e-4).gradient(network, BATCH, NOW)
    _, alone = Seam(coupling_weight=0).gradient(network, BATCH, NOW)
    assert float(terms["coupling"]) == pytest.approx(2 * cosine)
    apart = inner.combined((0.5, coupled), (-0.5, alone), (-1.0, expected))
    assert inner.norm(apart) < 1e-3 * inner.norm(expected)


def test_float32_is_enough_and_half_is_not(network: Any) -> None:
    _, expected = exact(network, BATCH["harmful"], BATCH["retain"])
    _, found = Seam()._coupling(network, BATCH["harmful"], BATCH["retain"])
    assert inner.norm(inner.combined((1.0, found), (-1.0, expected))) < 0.02 * inner.norm(expected)
    network.to(torch.bfloat16)
    with pytest.raises(ModelError, match="float32"):
        Seam().gradient(network, BATCH, NOW)


def test_a_step_turns_harmful_against_harmless(network: Any) -> None:
    cosine, slope = Seam()._coupling(network, BATCH["harmful"], BATCH["retain"])
    inner.shift(network, slope, -0.05 / float(inner.norm(slope)))
    assert Seam()._coupling(network, BATCH["harmful"], BATCH["retain"])[0] < cosine


def test_dropout_does_not_pass_for_curvature(network: Any) -> None:
    """All four gradients are taken under the same masks: else their difference would grow as 1 / epsilon."""
    network.train()
    for block in network.model.layers:
        block.self_attn.attention_dropout = 0.5
    lengths: list[float] = []
    for epsilon in (1e-3, 2e-3):
        torch.manual_seed(0)
        _, slope = Seam(epsilon=epsilon)._coupling(network, BATCH["harmful"], BATCH["retain"])
        lengths.append(float(inner.norm(slope)))
    assert lengths[0] == pytest.approx(lengths[1], rel=0.1)


def test_bounded_by_what_guessing_gives(network: Any) -> None:
    """Word 10 costs more than ln V wherever it stands: it counts ln V."""
    batch = make_batch(harmful=((10, 10), (10, 10)))
    with torch.no_grad():
        states = network.model(input_ids=batch["harmful"].input_ids).last_hidden_state[:, 2:4]
        network.lm_head.weight.zero_()[10] = -10 * states.mean((0, 1))
    guessing = math.log(1 + math.log(network.config.vocab_size))
    bounded, unbounded = (terms_of(Seam(ascent_weight=1, bounded=on), network, batch)["ascent"] for on in (True, False))
    assert unbounded < bounded
    assert bounded >= -guessing - 1e-6
