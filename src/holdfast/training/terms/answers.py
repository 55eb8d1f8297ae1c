"""What a model makes of the answers of a batch. Legend: B rows, S tokens, N answer tokens of all rows, V vocabulary."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from holdfast.models.anatomy import anatomy
from holdfast.models.states import forward
from holdfast.training.batches import Tokens
from holdfast.training.terms.losses import Targets, cross_entropy, targets


def answer_loss(model: Any, tokens: Tokens, *, ceiling: float | None = None) -> Float[Tensor, ""]:
    """Cross-entropy of the answers, in nats: a mean over rows of means over tokens.

    Args:
        model: the network.
        tokens: the exchanges of one role.
        ceiling: nats a token above which a token's loss is constant.
    """
    parts = anatomy(model)
    states = forward(parts, tokens.input_ids, tokens.attention_mask)
    return cross_entropy(parts, states.final, targets(tokens), ceiling=ceiling)


def answer_logits(model: Any, tokens: Tokens) -> tuple[Float[Tensor, "N V"], Targets]:
    """The logits at every answer token, in float32, and which tokens those are."""
    parts, wanted = anatomy(model), targets(tokens)
    states = forward(parts, tokens.input_ids, tokens.attention_mask)
    return parts.head(states.final[wanted.at]).float(), wanted


def answer_costs(model: Any, tokens: Tokens) -> Float[Tensor, " B"]:
    """Negative log-likelihood of each answer, in nats, summed over its tokens."""
    logits, wanted = answer_logits(model, tokens)
    nll = functional.cross_entropy(logits, wanted.labels, reduction="none")
    row = wanted.at.nonzero()[:, 0]
    return torch.zeros(len(tokens.input_ids), device=nll.device).index_add(0, row, nll)


def answer_entropy(model: Any, tokens: Tokens) -> Float[Tensor, ""]:
    """Entropy of the next-token distributions at answer tokens, in nats; averaged as `answer_loss` is."""
    logits, wanted = answer_logits(model, tokens)
    log_p = logits.log_softmax(-1)
    return (-(log_p.exp() * log_p).sum(-1) * wanted.weights).sum()


def answer_divergence(model: Any, reference: Any, tokens: Tokens) -> Float[Tensor, ""]:
    """KL(reference || model) at answer tokens, in nats, averaged as `answer_loss` is; no gradient for the reference."""
    logits, wanted = answer_logits(model, tokens)
    with torch.no_grad():
        before = answer_logits(reference, tokens)[0].log_softmax(-1)
    apart = (before.exp() * (before - logits.log_softmax(-1))).sum(-1)
    return (apart * wanted.weights).sum()
