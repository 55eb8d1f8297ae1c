"""Antidote: after somebody's fine-tuning, take away what harmful answers need most.

Claim: whatever fine-tuning did, and at whatever rate, the parameters that harmful text leans on most
are few; removing them once mends the model.

Paper: Huang et al. 2024, "Antidote: Post-fine-tuning Safety Alignment for Large Language Models against
Harmful Fine-tuning", arXiv 2408.09600 (ICML 2025). Wanda's score of an entry (Sun et al. 2023, arXiv
2306.11695), over harmful exchanges,

    h_ij = |w_ij| * ||x_j||_2,      w <- (1 - m) * w,   m = 1 where h is among the highest

with x_j the j-th input of the layer at every token.

Defaults: `share` as in the released script (git-disl/Antidote, `antidote_poison_ratio.sh`, dense_ratio 0.1;
others there have 0.01, 0.05 and 0.2). The release ranks within each row (`utils.py`), hence `ranked`. It prunes
the user's LoRA alone, q, k and v, which is part of the *change* that fine-tuning made, hence `pruned`; for full
fine-tuning its script zeroes 1e-5 of q, k and v themselves.

Divergences: a LoRA is merged by the time a model is mended, so an entry of the change w - w_aligned takes the
place of an entry of the LoRA's factors, and is put back to its aligned value. Every linear layer of the blocks
counts. Exchanges are chats. Padding is left out of the norms.
"""

import functools
import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from holdfast.config import config
from holdfast.errors import DataError
from holdfast.interfaces import Exchange, Model, Row, View
from holdfast.models.anatomy import anatomy
from holdfast.models.states import forward
from holdfast.training.weights.matrices import linears, matching


@config
class Antidote:
    """One-shot pruning by harmful importance, arXiv 2408.09600."""

    share: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Of each layer's entries, how many are taken away (the paper's alpha, the release's dense_ratio)."""
    pruned: Literal["change", "weights"] = "change"
    """What an entry is: of the change since alignment, which is undone, or of the weights, which become 0."""
    ranked: Literal["row", "matrix"] = "row"
    """Among which entries the highest are taken: of one output, or of the whole matrix."""
    batch_size: Annotated[int, Field(ge=1)] = 32
    """Exchanges a forward pass."""

    def mend(self, model: Model, aligned: Model, view: View) -> None:
        """Score on the defender's harmful answers, then prune in place."""
        from holdfast.training.feed import feed  # it imports transformers

        if not view.pairs:
            raise DataError("antidote scores weights on harmful answers, and the view has no pairs.")
        network: Any = model.network
        matrices = matching(network, aligned.network, "the aligned model")
        with torch.no_grad(), _energies(network) as energies:
            for batch in feed(model, _harmful(view), self.batch_size):
                tokens = batch["harmful"]
                energies.counted = tokens.attention_mask.bool()
                forward(anatomy(network), tokens.input_ids, tokens.attention_mask)
        for name, (weight, before) in matrices.items():
            rest = before if self.pruned == "change" else torch.zeros_like(weight)
            doomed = self._highest((weight - rest).abs() * energies.of[name].sqrt())
            weight.copy_(torch.where(doomed, rest, weight))

    def _highest(self, score: Tensor) -> Tensor:
        """True at the highest `share` of the entries of each row, or of the matrix; at least one unless it is 0."""
        rows = score if self.ranked == "row" else score.reshape(1, -1)
        count = math.ceil(self.share * rows.shape[1] - 1e-9)
        chosen = torch.zeros_like(rows, dtype=torch.bool)
        return chosen.scatter_(1, rows.topk(count).indices, value=True).view_as(score)


def _harmful(view: View) -> Iterator[Row]:
    for pair in view.pairs:
        yield {"harmful": Exchange(key=pair.key, prompt=pair.prompt, answer=pair.harmful)}


class _Energies:
    """The sum over tokens of each input's square, by layer."""

    def __init__(self) -> None:
        self.of: dict[str, Tensor] = {}
        self.counted: Tensor = torch.empty(0)
        """The tokens of the batch that count, [B, S]."""

    def add(self, name: str, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        energy = inputs[0][self.counted].float().square().sum(0)
        self.of[name] = self.of[name] + energy if name in self.of else energy


@contextmanager
def _energies(network: Any) -> Generator[_Energies]:
    """Adds up whatever enters the linear layers of a network meanwhile, which is in evaluation mode then."""
    energies, was_training = _Energies(), network.training
    handles = [
        layer.register_forward_pre_hook(functools.partial(energies.add, name))
        for name, layer in linears(network).items()
    ]
    network.eval()
    try:
        yield energies
    finally:
        network.train(was_training)
        for handle in handles:
            handle.remove()
