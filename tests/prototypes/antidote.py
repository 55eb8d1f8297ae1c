"""Antidote: after the user's fine-tuning, zero the weights that harmful text needs most.

Paper: Huang et al. 2024, "Antidote", arXiv 2408.09600: Wanda's score |W| ||x||_2 on harmful
exchanges; the top share of weights is set to 0, once.

Defaults: 10 % of the weights, as there, on all pairs of the view; there about 2,000 samples.

Divergences: the top share is taken in each matrix on its own; whether the release ranks by matrix
or by row was not checked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from holdfast.config import config
from holdfast.errors import ModelError
from holdfast.interfaces import Exchange, Model, View
from holdfast.models.anatomy import anatomy
from holdfast.models.states import forward
from holdfast.training.batches import as_batch


@config
class Antidote:
    """One-shot pruning by harmful importance, arXiv 2408.09600."""

    share: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Of the weights of each linear layer in the blocks, how many become 0."""
    batch_size: Annotated[int, Field(ge=1)] = 4
    """Exchanges a forward pass."""

    def edit(self, model: Model, view: View) -> None:
        """Score on the harmful answers, then prune in place."""
        from holdfast.training.collate import Collator  # it imports transformers

        network: Any = model.network
        parts = anatomy(network)
        layers = [module for block in parts.blocks for module in block.modules() if isinstance(module, nn.Linear)]
        if not layers:
            raise ModelError(f"{model.name} has no linear layers to prune.")
        collate = Collator(model.tokenizer, getattr(network.config, "max_position_embeddings", None))
        rows = [{"harmful": Exchange(key=p.key, prompt=p.prompt, answer=p.harmful)} for p in view.pairs]
        with torch.no_grad(), _energies(layers) as energies:
            for first in range(0, len(rows), self.batch_size):
                tokens = as_batch(collate(rows[first : first + self.batch_size]))["harmful"]
                mask = tokens.attention_mask.to(network.device)
                energies["seen"] = mask.bool()
                forward(parts, tokens.input_ids.to(network.device), mask)
            for layer in layers:
                score = layer.weight.abs() * energies[layer].sqrt()
                count = round(self.share * score.numel())
                layer.weight.view(-1)[score.view(-1).topk(count).indices] = 0


@contextmanager
def _energies(layers: list[nn.Linear]) -> Iterator[dict[Any, Tensor]]:
    """The sum over tokens of each input feature's square, by layer, padding left out."""
    energies: dict[Any, Tensor] = {}

    def add(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        energies[layer] = energies.get(layer, 0) + inputs[0][energies["seen"]].square().sum(0)

    handles = [layer.register_forward_pre_hook(add) for layer in layers]
    try:
        yield energies
    finally:
        for handle in handles:
            handle.remove()
