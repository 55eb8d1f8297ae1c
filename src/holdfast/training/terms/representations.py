"""An answer's hidden states, beside those of the model as it was.

Legend: L blocks, N tokens of all rows, H width, B rows.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from holdfast.errors import ConfigError
from holdfast.models.anatomy import anatomy
from holdfast.models.states import forward
from holdfast.training.batches import Tokens


class Beside(NamedTuple):
    """The residual stream after some blocks, at the same tokens, in the model and in a reference."""

    now: Float[Tensor, "L N H"]
    before: Float[Tensor, "L N H"]
    """In the reference; without a gradient."""
    weights: Float[Tensor, " N"]
    """1 / (B x tokens of its row): a mean over rows of means over tokens."""
    lengths: tuple[int, ...]
    """How many of the N tokens are each row's, one row after the other."""

    def mean(self, each: Float[Tensor, "L N"]) -> Float[Tensor, ""]:
        """The mean of what each token has, over rows and then over blocks: linear in the batch."""
        return (each * self.weights).sum(1).mean()

    def centre(self) -> Float[Tensor, "L 1 H"]:
        """The mean state of the batch at each block, as the model has it now."""
        return (self.now * self.weights[:, None]).sum(1, keepdim=True)


def beside(
    model: Any, reference: Any, tokens: Tokens, layers: tuple[int, ...] | None = None, *, lead: bool = False
) -> Beside:
    """The states of the answers of one role, in a model and in the model it came from.

    Args:
        model: the network being trained.
        reference: the network it is compared with.
        tokens: the exchanges of one role.
        layers: blocks, counted from 0; None means all.
        lead: whether the prompt's last token counts, too: its state predicts the answer's first
            token. It is the same for both answers of a pair, so one to keep holds it and one to
            change leaves it alone.

    Raises:
        ConfigError: the model has no such block.
    """
    mask = tokens.answer_mask
    if lead:
        mask = mask | torch.cat([mask[:, 1:], torch.zeros_like(mask[:, :1])], dim=1)
    now = _states(model, tokens, mask, layers)
    with torch.no_grad():
        before = _states(reference, tokens, mask, layers)
    counts = mask.sum(1, keepdim=True)
    weights = (mask / (counts.clamp(min=1) * len(mask)))[mask]
    return Beside(now, before, weights, tuple(counts[:, 0].tolist()))


def _states(network: Any, tokens: Tokens, mask: Tensor, layers: tuple[int, ...] | None) -> Tensor:
    parts = anatomy(network)
    count = len(parts.blocks)
    if layers and not all(0 <= layer < count for layer in layers):
        raise ConfigError(f"layers {layers}: the model's blocks are numbered 0 to {count - 1}.")
    states = forward(parts, tokens.input_ids, tokens.attention_mask, residual=True)
    return torch.stack([states.residual[layer][mask].float() for layer in layers or range(count)])
