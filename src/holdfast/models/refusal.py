"""The direction in which a model refuses, and its removal from whatever writes it.

Arditi et al. 2024, "Refusal in Language Models Is Mediated by a Single Direction", arXiv 2406.11717;
released as andyrdt/refusal_direction.

Legend: L blocks, N questions, H width, V tokens, K directions.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from holdfast.errors import DataError, ModelError
from holdfast.interfaces import Model
from holdfast.models.anatomy import anatomy
from holdfast.models.chat import render
from holdfast.models.states import forward

WRITERS: Final = {"o_proj", "out_proj", "c_proj", "dense", "wo", "down_proj", "dense_4h_to_h", "fc2", "w2"}
"""What the layers are called, within a block, whose output is added to the residual stream."""
EARLY: Final = 0.8
"""The share of the blocks in which a direction is looked for first (the release's `prune_layer_percentage` of 0.2)."""
DRIFT: Final = 0.1
"""The most that harmless answers may change, as KL divergence at their first token (the release's `kl_threshold`)."""
TELLING: Final = 0.01
"""A token is one of refusal if answers to harmful questions begin with it more often by this probability; ours."""


def refusal_direction(
    model: Model, harmful: Sequence[str], harmless: Sequence[str], *, rank: int = 1, questions: int = 128
) -> Float[Tensor, "K H"]:
    """The directions that tell harmful questions from harmless ones where the answer begins.

    A candidate is r_l = mean of x_l over harmful questions - mean over harmless ones, x_l the
    residual stream after block l at the prompt's last token. Each is tried, by how much the first token of answers
    changes without it. Those come first that change harmless answers by no more than `DRIFT`; of these, those that
    leave harmful questions more often answered than refused; of these, those of the first `EARLY` blocks; and of these
    that one is taken without which refusal is least likely, by the mean log-odds of the tokens of refusal. These
    are not listed: they are those that the model itself says on harmful questions and not on harmless ones. Where
    there are none, that candidate is taken whose length is the largest against that of the states.

    Args:
        model: it stays as it is.
        harmful: what the user says, where the model refuses.
        harmless: what the user says, where it answers.
        rank: how many directions; each is sought in the model without those before it (iterative nullspace
            projection, Ravfogel et al. 2020, arXiv 2004.07667).
        questions: of each kind, the most that are looked at, evenly spaced (128 in the paper).

    Returns:
        Orthonormal directions in float32, fewer than `rank` where nothing more tells the questions apart.

    Raises:
        DataError: one kind of question is missing, or the model does not tell them apart at all.
        ModelError: as for `ablate`.
    """
    if not harmful or not harmless:
        raise DataError(
            "a refusal direction is a difference between harmful and harmless questions: give some of both."
        )
    asked = _spread(harmful, questions), _spread(harmless, questions)
    network: Any = model.network
    found = torch.zeros(0, network.config.get_text_config().hidden_size, device=network.device)
    for _ in range(rank):
        best = _best(model, *asked, found)
        if best is None:
            break
        found = torch.cat([found, best[None]])
    if not len(found):
        raise DataError("the model's states are the same for harmful and for harmless questions: nothing to remove.")
    return found


@torch.no_grad()
def ablate(network: Any, directions: Float[Tensor, "K H"]) -> None:
    """Orthogonalise every matrix that writes to the residual stream, in place: W <- W - D^T D W.

    These are embeddings of tokens and positions (where the head shares them, the head, too), and the last layers of
    attentions, MLPs and experts, with their biases.

    Args:
        network: any decoder without an adapter.
        directions: orthonormal rows.

    Raises:
        ModelError: something else writes these directions, too. The network is then as it was.
    """
    saved = [(weight, weight.clone()) for weight in _writers(network)]
    try:
        for weight in _writers(network):
            along = directions.to(weight.device)
            weight.sub_((weight.float() @ along.T @ along).to(weight))
        _check(network, directions)
    except BaseException:
        _put_back(saved)
        raise


class _Begun(NamedTuple):
    """What a model is about to say to some questions."""

    states: Float[Tensor, "L N H"]
    """The residual stream after each block, at the prompt's last token."""
    logits: Float[Tensor, "N V"]
    """Of the answer's first token."""


def _best(model: Model, harmful: list[str], harmless: list[str], found: Tensor) -> Tensor | None:
    """The next direction, of length 1, orthogonal to those found; None where there is no difference left."""
    with _ablated(model.network, found):
        bad, good = _begun(model, harmful), _begun(model, harmless)
    difference = (bad.states.mean(1) - good.states.mean(1)).double()
    difference -= (difference @ found.double().T) @ found.double()
    length = difference.norm(dim=1) / good.states.double().norm(dim=2).mean(1)
    candidates = {
        place: functional.normalize(difference[place], dim=0).float()
        for place in range(len(length))
        if length[place] > 1e-6
    }
    refusing = bad.logits.softmax(1).mean(0) - good.logits.softmax(1).mean(0) > TELLING
    if not refusing.any() or len(candidates) < 2:
        place = max(candidates, key=lambda place: float(length[place]), default=None)
        return None if place is None else candidates[place]
    scores: dict[int, tuple[bool, bool, bool, float]] = {}
    for place, candidate in candidates.items():
        with _ablated(model.network, torch.cat([found, candidate[None]])):
            drift = _divergence(good.logits, _begun(model, harmless).logits)
            odds = _odds(_begun(model, harmful).logits, refusing)
        # The state after block `place` is what the paper has as the input of the next one.
        scores[place] = drift > DRIFT, odds > 0, place + 1 >= int(EARLY * len(length)), odds
    return candidates[min(scores, key=lambda place: scores[place])]


def _odds(logits: Float[Tensor, "N V"], refusing: Bool[Tensor, "V"]) -> float:
    """The mean log-odds that an answer begins with one of some tokens (the release's `refusal_score`)."""
    return float((logits[:, refusing].logsumexp(1) - logits[:, ~refusing].logsumexp(1)).mean())


def _divergence(before: Float[Tensor, "N V"], after: Float[Tensor, "N V"]) -> float:
    """The mean KL divergence of what was going to be said from what is going to be, in nats."""
    logs = before.log_softmax(1), after.log_softmax(1)
    return float(functional.kl_div(logs[1], logs[0], log_target=True, reduction="batchmean"))


@torch.no_grad()
def _begun(model: Model, questions: list[str], batch_size: int = 64) -> _Begun:
    network: Any = model.network
    parts, modes = anatomy(network), [(module, module.training) for module in network.modules()]
    chats = [render(model.tokenizer, question) for question in questions]
    states: list[Tensor] = []
    network.eval()
    try:
        for first in range(0, len(chats), batch_size):
            inputs: Any = model.tokenizer(
                chats[first : first + batch_size],
                add_special_tokens=False,
                padding=True,
                padding_side="right",
                return_tensors="pt",
            ).to(network.device)
            mask = inputs["attention_mask"]
            run = forward(parts, inputs["input_ids"], mask, residual=True)
            rows = torch.arange(len(mask), device=mask.device)
            states.append(torch.stack([state[rows, mask.sum(1) - 1] for state in (*run.residual, run.final)]))
    finally:
        for module, mode in modes:
            module.training = mode
    every = torch.cat(states, dim=1)
    return _Begun(every[:-1].float(), parts.head(every[-1]).float().cpu())


def _spread(questions: Sequence[str], count: int) -> list[str]:
    """No more than `count` of them, evenly spaced, since data may be in order of what it is about."""
    count = min(count, len(questions))
    return [questions[number * len(questions) // count] for number in range(count)]


@contextmanager
def _ablated(network: Any, directions: Tensor) -> Generator[None]:
    """Within, the network is without the directions; afterwards it is as it was, to the bit."""
    saved = [(weight, weight.clone()) for weight in _writers(network)] if len(directions) else []
    try:
        if saved:
            ablate(network, directions)
        yield
    finally:
        _put_back(saved)


def _put_back(saved: list[tuple[Tensor, Tensor]]) -> None:
    for weight, before in saved:
        weight.copy_(before)


def _writers(network: Any) -> list[Tensor]:
    """Views [..., H] of the weights that write to the residual stream."""
    parts = anatomy(network)
    width: int = network.config.get_text_config().hidden_size
    inside = {id(module) for block in parts.blocks for module in block.modules()}
    found = [
        module.weight.detach()
        for module in parts.trunk.modules()
        if isinstance(module, nn.Embedding) and id(module) not in inside and module.embedding_dim == width
    ]
    for block in parts.blocks:
        for path, module in block.named_modules():
            for name, weight in module.named_parameters(recurse=False):
                fused = name in {"down_proj", "down_proj_bias"}  # experts in one tensor
                if fused or path.rpartition(".")[2] in WRITERS:
                    found.append(_outputs_last(module, name, weight.detach()))
    if any(weight.shape[-1] != width for weight in found):
        raise ModelError(f"{type(network).__name__} writes to its residual stream in another width than {width}.")
    return found


def _outputs_last(module: Any, name: str, weight: Tensor) -> Tensor:
    """A view of a layer's weights whose last axis is the layer's outputs: Conv1D's and biases are so already."""
    if "bias" in name or type(module).__name__ == "Conv1D" or getattr(module, "is_transposed", False):
        return weight
    return weight.transpose(-1, -2)


def _check(network: Any, directions: Tensor) -> None:
    """No state after any block may have a part along a direction, but for rounding."""
    words = network.get_input_embeddings()
    ids = torch.linspace(0, words.num_embeddings - 1, 16, device=words.weight.device).long()[None]
    states = torch.stack(list(forward(anatomy(network), ids, torch.ones_like(ids), residual=True).residual)).float()
    left = (states @ directions.to(states.device).T).norm(dim=-1).max() / states.norm(dim=-1).mean()
    limit = torch.finfo(words.weight.dtype).eps ** 0.5
    if not left <= limit:  # nor may it be NaN
        raise ModelError(
            f"{type(network).__name__} cannot be orthogonalised: {left:.2g} of its residual stream is left along the "
            f"direction, more than rounding ({limit:.2g}); something beside embeddings and {', '.join(sorted(WRITERS))}"
            " writes to it, such as an adapter or a norm behind the attention."
        )
