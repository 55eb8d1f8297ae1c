"""Steps inside a step: the weights move, something is computed there, and they are put back exactly.

TAR, Booster, CTRAP and SEAM look ahead in this way; optimiser steps beside the Trainer's are taken
here and nowhere else.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from holdfast.errors import ModelError
from holdfast.training.rng import preserved_rng

T = TypeVar("T")


def trained(network: nn.Module) -> dict[str, nn.Parameter]:
    """The weights being trained, by name.

    Raises:
        ModelError: a weight is sharded (FSDP, ZeRO-3), so that it cannot be moved and put back in place.
    """
    weights = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
    for name, weight in weights.items():
        if type(weight.data).__name__ == "DTensor" or hasattr(weight, "ds_id"):
            raise ModelError(
                f"{name} is sharded; methods that look ahead need whole weights: train without FSDP or ZeRO-3."
            )
    return weights


@contextmanager
def elsewhere(network: nn.Module) -> Generator[None]:
    """Whatever happens to weights, gradients and RNG inside is undone on leaving, to the bit."""
    weights = trained(network)
    before = {name: weight.detach().clone() for name, weight in weights.items()}
    grads = {name: weight.grad for name, weight in weights.items()}
    for weight in weights.values():
        weight.grad = None
    with preserved_rng():
        try:
            yield
        finally:
            with torch.no_grad():
                for name, weight in weights.items():
                    weight.copy_(before[name])
                    weight.grad = grads[name]


def gradient(network: nn.Module, loss: Tensor) -> dict[str, Tensor]:
    """The gradient of a loss by each trained weight; zeros where it does not reach one."""
    weights = trained(network)
    grads: Any = torch.autograd.grad(loss, list(weights.values()), allow_unused=True)
    return {
        name: torch.zeros_like(weight) if grad is None else grad
        for (name, weight), grad in zip(weights.items(), grads, strict=True)
    }


def shift(network: nn.Module, direction: Mapping[str, Tensor], scale: float) -> None:
    """Add `scale` x `direction` to the weights, in place. To be used inside `elsewhere`."""
    with torch.no_grad():
        for name, weight in trained(network).items():
            weight.add_(direction[name], alpha=scale)


def norm(direction: Mapping[str, Tensor]) -> Tensor:
    """The Euclidean norm over all weights together."""
    return torch.stack([part.float().norm() for part in direction.values()]).norm()


def dot(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> Tensor:
    """The inner product over all weights together."""
    return torch.stack([(part.float() * other[name].float()).sum() for name, part in one.items()]).sum()


def combined(*parts: tuple[float | Tensor, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The sum of directions, each times its factor."""
    total: dict[str, Tensor] = {}
    for factor, direction in parts:
        for name, part in direction.items():
            total[name] = total[name] + factor * part if name in total else factor * part
    return total


def descend(
    network: nn.Module,
    batches: Iterable[T],
    loss: Callable[[T], Tensor],
    *,
    learning_rate: float,
    optimiser: type[torch.optim.Optimizer] = torch.optim.AdamW,
) -> Iterator[int]:
    """Take one step a batch, as an attacker would, and yield after each. To be used inside `elsewhere`.

    No weight decay, as in a `Recipe`.
    """
    steps = optimiser(trained(network).values(), lr=learning_rate, weight_decay=0.0)  # type: ignore[call-arg]
    for number, batch in enumerate(batches, start=1):
        steps.zero_grad()
        loss(batch).backward()
        steps.step()
        yield number
