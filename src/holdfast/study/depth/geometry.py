"""How far a model's states and weights have moved from those of the model it was made from."""

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor

from holdfast.depths import Moved
from holdfast.interfaces import Model
from holdfast.models.anatomy import anatomy
from holdfast.study.depth.read import Read
from holdfast.training.terms.losses import mmd

_POINTS: Final = 512
"""Tokens that distances between distributions are taken of."""


def moved(now: Read, before: Read, layer: int, seed: int = 0) -> Moved:
    """Compare one layer.

    Args:
        now, before: the same answers, read by the model and by its base.
        layer: which.
        seed: of the noise.
    """
    one, other = now.states[layer], before.states[layer]
    apart = (one - other).norm(dim=1) / other.norm(dim=1).clamp(min=1e-12)
    return Moved(
        cka=_cka(one, other),
        distance=float(apart.mean()),
        noise=_to_noise(one, seed),
        noise_base=_to_noise(other, seed),
    )


def weights_moved(now: Model, before: Model) -> list[float]:
    """Of each block, the length of its weights' change relative to that of the weights.

    Raises:
        ModelError: the parts of a model are not found.
    """
    return [
        _change(one, other)
        for one, other in zip(anatomy(now.network).blocks, anatomy(before.network).blocks, strict=True)
    ]


def _change(now: Any, before: Any) -> float:
    there = dict(before.named_parameters())
    pairs = [(one.detach().float(), there[name].detach().float()) for name, one in now.named_parameters()]
    change = sum(float((one - other.to(one.device)).pow(2).sum()) for one, other in pairs)
    return (change / sum(float(other.pow(2).sum()) for _, other in pairs)) ** 0.5


def _cka(one: Tensor, other: Tensor) -> float:
    one, other = one - one.mean(0), other - other.mean(0)
    cross = (one.T @ other).pow(2).sum()
    return float(cross / ((one.T @ one).norm() * (other.T @ other).norm()).clamp(min=1e-12))


def _to_noise(states: Tensor, seed: int) -> float:
    every: Sequence[int] = range(0, len(states), max(1, len(states) // _POINTS))
    some = states[list(every)]
    drawn = torch.randn(some.shape, generator=torch.Generator().manual_seed(seed))
    return float(mmd(some, some.mean(0) + drawn * some.std(0)))
