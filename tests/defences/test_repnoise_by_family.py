"""The loss of RepNoise on every family, against plain formulas on the network's own states and logits."""

from typing import Any

import pytest
import torch
from paired_batches import make_batch
from torch import Tensor, nn
from torch.nn import functional

from awake import FAMILIES, awake
from holdfast.defences.repnoise import RepNoise
from holdfast.interfaces import Progress
from holdfast.models.anatomy import anatomy
from holdfast.models.states import forward
from holdfast.training.batches import Tokens
from holdfast.training.terms.losses import keyed_noise


@pytest.mark.parametrize("name", FAMILIES)
def test_the_loss_of_repnoise_by_plain_formulas(name: str) -> None:
    """Terms and every gradient, from the network's own hidden states, whole logits and plain autograd."""
    network: Any = awake(name).network
    batch = make_batch(retain=((10, 3), (11, 12, 3)))
    method = RepNoise(noise_weight=1.0, ascent_weight=0.5, bounded=False)
    expected = plain(network, batch)
    terms = method.loss(network, batch, Progress(0, 10))
    for term, value in expected.items():
        torch.testing.assert_close(terms[term], value, rtol=1e-4, atol=1e-5, msg=lambda told, at=term: f"{at}: {told}")
    weights = {part: weight for part, weight in network.named_parameters() if "vision" not in part}
    weights = {part: weight for part, weight in weights.items() if "multi_modal" not in part}
    ours, theirs = (
        torch.autograd.grad(torch.stack(list(losses.values())).sum(), list(weights.values()), allow_unused=True)
        for losses in (terms, expected)
    )
    for part, one, other in zip(weights, ours, theirs, strict=True):
        assert (one is None) == (other is None), part
        if one is not None and other is not None:
            assert (one - other).norm() <= 1e-3 * other.norm() + 1e-5, part


def plain(network: Any, batch: dict[str, Tokens]) -> dict[str, Tensor]:
    """L = CE(refusal) + CE(retain) + 1.0 mean_l MMD2(mlp_l, noise) - 0.5 log(1 + mean_l CE_l(harmful))."""
    parts = anatomy(network)
    said: list[Tensor] = []
    hooks = [mlp.register_forward_hook(lambda *told: said.append(told[2])) for mlp in parts.mlps]
    harmful = batch["harmful"]
    whole = network(input_ids=harmful.input_ids, attention_mask=harmful.attention_mask, output_hidden_states=True)
    for hook in hooks:
        hook.remove()
    mlps = [one[0] if isinstance(one, tuple) else one for one in said]
    distances: list[Tensor] = []
    for layer, states in enumerate(mlps):
        points = states.reshape(*harmful.input_ids.shape, -1)[harmful.answer_mask]
        lengths = harmful.answer_mask.sum(1).tolist()
        noise = keyed_noise(harmful.keys, lengths, points.shape[1], layer=layer, step=0, seed=0)
        distances.append(mmd(points, noise * points.detach().square().mean().sqrt()))
    # What transformers tells of every block but the last, which it tells after the norm: there the logits stand for it.
    lens = [read(network, parts.norm, state) for state in whole.hidden_states[1:-1]]
    last = head(network, normed(parts.norm, forward(parts, harmful.input_ids, harmful.attention_mask, residual=True)))
    torch.testing.assert_close(last, whole.logits, rtol=1e-4, atol=1e-4)
    ascent = torch.stack([nll(logits, harmful) for logits in (*lens, last)]).mean()
    kept = {
        role: nll(
            network(input_ids=batch[role].input_ids, attention_mask=batch[role].attention_mask).logits, batch[role]
        )
        for role in ("refusal", "retain")
    }
    return {**kept, "noise": torch.stack(distances).mean(), "ascent": -0.5 * torch.log1p(ascent)}


def normed(norm: nn.Module, states: Any) -> Tensor:
    """The last block's state, by a norm whose weights are constants."""
    constants = {name: weight.detach() for name, weight in norm.named_parameters()}
    return torch.func.functional_call(norm, constants, (states.residual[-1],))


def read(network: Any, norm: nn.Module, state: Tensor) -> Tensor:
    constants = {name: weight.detach() for name, weight in norm.named_parameters()}
    return head(network, torch.func.functional_call(norm, constants, (state,)))


def head(network: Any, states: Tensor) -> Tensor:
    """Logits by a head that is a constant, and the cap of Gemma 2."""
    logits = functional.linear(states, network.get_output_embeddings().weight.detach())
    cap = getattr(network.config.get_text_config(), "final_logit_softcapping", None)
    return cap * torch.tanh(logits / cap) if cap else logits


def nll(logits: Tensor, tokens: Tokens) -> Tensor:
    """The mean over rows of the mean over a row's answer tokens, each read off one token before it."""
    rows: list[Tensor] = []
    for row, ids, answer in zip(logits, tokens.input_ids, tokens.answer_mask, strict=True):
        at = answer.nonzero()[:, 0]
        rows.append(functional.cross_entropy(row[at - 1], ids[at]))
    return torch.stack(rows).mean()


def mmd(x: Tensor, y: Tensor) -> Tensor:
    """Unbiased, five kernels of widths mean d2 / 4 x (1, 2, 4, 8, 16); pair by pair."""
    points = torch.cat([x, y])
    squared = (points[:, None] - points[None]).square().sum(2)
    n, m = len(x), len(y)
    width = squared.detach().sum() / ((n + m) * (n + m - 1)) / 4
    kernel = torch.stack([torch.exp(-squared / (width * 2**power)) for power in range(5)]).sum(0)
    kernel = kernel * (1 - torch.eye(n + m)) + torch.zeros(n + m, n + m)
    return (
        kernel[:n, :n].sum() / (n * (n - 1)) + kernel[n:, n:].sum() / (m * (m - 1)) - 2 * kernel[:n, n:].sum() / (n * m)
    )
