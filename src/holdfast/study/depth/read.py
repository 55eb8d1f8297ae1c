"""What a model's layers hold of some answers: states of every layer, once, on the CPU.

Legend: layers 0 (what enters the first block) to L (what the last block leaves), R rows, N answer tokens, H width.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from holdfast.interfaces import Exchange, Model
from holdfast.models.anatomy import anatomy
from holdfast.models.chat import context_length
from holdfast.models.devices import beside
from holdfast.models.states import forward
from holdfast.training.batches import Tokens, as_batch
from holdfast.training.collate import Collator
from holdfast.training.terms.losses import targets

_ROWS: Final = 16
"""Rows that go through the model together."""


@dataclass(frozen=True, kw_only=True)
class Read:
    """States at the tokens from which each token of the answers is predicted."""

    states: Sequence[Float[Tensor, "N H"]]
    """Of each layer."""
    labels: Int[Tensor, " N"]
    row: Int[Tensor, " N"]
    """Which row each token is of, from 0."""
    rows: int

    def pooled(self, layer: int) -> Float[Tensor, "R H"]:
        """The mean state of each answer: what the probes of the RepNoise paper look at."""
        found = torch.zeros(self.rows, self.states[layer].shape[1])
        counts = torch.bincount(self.row, minlength=self.rows).clamp(min=1)
        return found.index_add_(0, self.row, self.states[layer]) / counts[:, None]

    def of(self, rows: Tensor) -> Tensor:
        """Which tokens are of these rows."""
        return torch.isin(self.row, rows)


def read(model: Model, exchanges: Sequence[Exchange]) -> Read:
    """Run every exchange through a model once, teacher-forced.

    Args:
        model: any.
        exchanges: questions with the answers that are read along with them, whatever the model itself would say.

    Raises:
        DataError: an exchange does not fit into the model's context.
    """
    parts, kept = anatomy(model.network), list[list[Tensor]]()
    labels: list[Tensor] = []
    rows: list[Tensor] = []
    with torch.no_grad():
        for first, tokens in _batches(model, exchanges):
            states = forward(parts, tokens.input_ids, tokens.attention_mask, residual=True)
            wanted = targets(tokens)
            layers = [states.embedded, *states.residual]
            kept.append([layer[wanted.at].float().cpu() for layer in layers])
            labels.append(wanted.labels.cpu())
            rows.append(first + wanted.at.nonzero()[:, 0].cpu())
    return Read(
        states=[torch.cat(layer) for layer in zip(*kept, strict=True)],
        labels=torch.cat(labels),
        row=torch.cat(rows),
        rows=len(exchanges),
    )


def _batches(model: Model, exchanges: Sequence[Exchange]) -> Iterator[tuple[int, Tokens]]:
    collate: Any = Collator(model.tokenizer, context_length(model.network))
    for first in range(0, len(exchanges), _ROWS):
        found = collate([{"train": exchange} for exchange in exchanges[first : first + _ROWS]])
        on = beside(model.network)
        yield first, as_batch({"train": {name: value.to(on) for name, value in found["train"].items()}})["train"]
