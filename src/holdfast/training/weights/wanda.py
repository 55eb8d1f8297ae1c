"""What enters each linear layer where answers are predicted: the data's side of Wanda's score.

Sun et al. 2023, "A Simple and Effective Pruning Approach for Large Language Models", arXiv 2306.11695, equation 1:
the score of an entry is |w_ij| ||x_j||_2, x_j the layer's j-th input over all tokens.
"""

import functools
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from holdfast.interfaces import Exchange, Model
from holdfast.models.anatomy import anatomy
from holdfast.models.states import forward
from holdfast.training.feed import feed
from holdfast.training.terms.losses import targets
from holdfast.training.weights.matrices import linears


@torch.no_grad()
def input_norms(model: Model, exchanges: Sequence[Exchange], *, batch_size: int = 32) -> dict[str, Tensor]:
    """||x_j||_2 of every linear layer, [inputs], by the layer's name as `linears` has it.

    Args:
        model: it stays as it is; it runs in evaluation mode.
        exchanges: the tokens that count are those from which a token of an answer is predicted.
        batch_size: exchanges a forward pass.

    Raises:
        DataError: an exchange does not fit into the model's context, or has no answer.
        ModelError: there are no linear layers.
    """
    network: Any = model.network
    parts = anatomy(network)
    with _summing(network) as sums:
        for batch in feed(model, iter([{"answer": exchange} for exchange in exchanges]), batch_size):
            tokens = batch["answer"]
            sums.counted = targets(tokens).at
            forward(parts, tokens.input_ids, tokens.attention_mask)
    return {name: energy.sqrt() for name, energy in sums.of.items()}


class _Sums:
    """The sum over tokens of each input's square, by layer."""

    def __init__(self) -> None:
        self.of: dict[str, Tensor] = {}
        self.counted: Tensor = torch.empty(0)
        """The tokens of the batch that count, [B, S]."""

    def add(self, name: str, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        # Experts that are modules see tokens chosen for them, without their places: all of those count.
        x = inputs[0]
        seen = x[self.counted] if x.shape[:-1] == self.counted.shape else x.reshape(-1, x.shape[-1])
        energy = seen.float().square().sum(0)
        self.of[name] = self.of[name] + energy if name in self.of else energy


@contextmanager
def _summing(network: Any) -> Generator[_Sums]:
    sums, modes = _Sums(), [(module, module.training) for module in network.modules()]
    handles = [
        layer.register_forward_pre_hook(functools.partial(sums.add, name)) for name, layer in linears(network).items()
    ]
    network.eval()
    try:
        yield sums
    finally:
        for module, mode in modes:
            module.training = mode
        for handle in handles:
            handle.remove()
