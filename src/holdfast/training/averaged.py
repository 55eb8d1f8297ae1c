"""Gradients that a method makes itself, over several processes: what DDP does for those of a loss."""

from collections.abc import Iterable

import torch
import torch.distributed as together

from holdfast import processes


def average(weights: Iterable[torch.Tensor]) -> None:
    """Make the gradient of each weight the mean over all processes. All of them have to ask."""
    for weight in weights:
        if weight.grad is None:
            weight.grad = torch.zeros_like(weight)
        together.all_reduce(weight.grad)
        weight.grad /= processes.count()
