"""Losses that several methods share. Legend: B rows, S tokens, N answer tokens of all rows, H width, V vocabulary."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from holdfast.errors import DataError
from holdfast.models.anatomy import Anatomy
from holdfast.training.batches import Tokens
from holdfast.training.terms.head import eager, head_loss


class Targets(NamedTuple):
    """The answer tokens of a batch, one row each: where each is predicted from, and its weight."""

    at: Bool[Tensor, "B S"]
    """True where the state stands that predicts an answer token: one before it."""
    labels: Int[Tensor, " N"]
    weights: Float[Tensor, " N"]
    """1 / (B x answer tokens of its row): a mean over rows of means over tokens."""


def targets(tokens: Tokens, mask: Bool[Tensor, "B S"] | None = None) -> Targets:
    """The answer tokens, the first one too. They come from the answer's span alone.

    The mean is over rows of the mean over a row's tokens, so it is linear in the batch: the mean
    over micro-batches of equal size is the mean over the whole.
    """
    answer = tokens.answer_mask if mask is None else mask
    at = torch.zeros_like(answer)
    at[:, :-1] = answer[:, 1:]
    count = at.sum(1, keepdim=True).clamp(min=1)
    weights = (at / (count * len(at)))[at]
    return Targets(at, tokens.input_ids.roll(-1, dims=1)[at], weights)


def cross_entropy(
    parts: Anatomy,
    states: Float[Tensor, "B S H"],
    wanted: Targets,
    *,
    train_head: bool = True,
    ceiling: float | None = None,
) -> Float[Tensor, ""]:
    """Mean cross-entropy of the answers, logits made at answer tokens only.

    Args:
        parts: the decoder whose head reads the states.
        states: states after a norm.
        wanted: the answer tokens.
        train_head: whether the gradient reaches the head's weights.
        ceiling: nats a token above which a token's loss is constant.
    """
    return head_loss(parts, states[wanted.at], wanted.labels, wanted.weights, train_head=train_head, ceiling=ceiling)


def mmd(x: Float[Tensor, "N D"], y: Float[Tensor, "M D"], *, kernels: int = 5) -> Float[Tensor, ""]:
    """Squared maximum mean discrepancy, unbiased (Gretton et al. 2012, eq. 3): pairs of a point with itself left out.

    Gaussian kernels exp(-d2 / w) of widths w = mean d2 / 4 x (1, 2, 4, 8, 16), the multi-kernel of
    the released RepNoise. Distances come from Gram matrices: memory N^2, not N^2 D.

    Raises:
        DataError: a sample of one point has no pairs.
    """
    if min(len(x), len(y)) < 2:
        raise DataError("a distance between distributions needs two points of each: take a larger batch.")

    def whole(x: Tensor, y: Tensor) -> Iterator[Tensor]:
        # A distance is a small difference of large products: bfloat16 would leave nothing of it.
        with torch.autocast(x.device.type, enabled=False):
            found = _mmd(x, y, kernels)
        yield found

    return eager(whole, x, y)


def keyed_noise(
    keys: Int[Tensor, " B"], lengths: Sequence[int], width: int, *, layer: int, step: int, seed: int
) -> Float[Tensor, "N H"]:
    """Standard normal noise for every answer token, drawn by seed, step, sample and layer.

    It does not depend on the order of the batch, on padding, or on the global RNG.
    """
    drawn: list[Tensor] = []
    for key, length in zip(keys.tolist(), lengths, strict=True):
        digest = hashlib.blake2b(f"{seed}/{step}/{key}/{layer}".encode(), digest_size=8).digest()
        generator = torch.Generator(keys.device).manual_seed(int.from_bytes(digest) >> 1)
        drawn.append(torch.randn(length, width, generator=generator, device=keys.device))
    return torch.cat(drawn)


def _mmd(x: Tensor, y: Tensor, kernels: int) -> Tensor:
    n, m = len(x), len(y)
    xx, yy, xy = _distances(x, x), _distances(y, y), _distances(x, y)
    # The mean over all ordered pairs of distinct points of both samples.
    mean = (xx.sum() + yy.sum() + 2 * xy.sum()).detach() / ((n + m) * (n + m - 1))
    widest = (mean / 2 ** (kernels // 2) * 2 ** (kernels - 1)).clamp(min=1e-12)  # points may all be equal

    def total(distances: Tensor) -> Tensor:
        return _Kernels.apply(distances, widest, kernels)

    # The diagonals hold `kernels` ones each a point: what a point has with itself.
    return (
        (total(xx) - kernels * n) / (n * (n - 1)) + (total(yy) - kernels * m) / (m * (m - 1)) - 2 * total(xy) / (n * m)
    )


class _Kernels(torch.autograd.Function):
    """The sum over pairs of exp(-d / w), w = widest / (1, 2, 4, ...), with its slope by d made in the same pass."""

    @staticmethod
    def forward(ctx: Any, distances: Tensor, widest: Tensor, kernels: int) -> Tensor:
        kernel = distances.div(-widest).exp_()
        total, slope = kernel.sum(), kernel.clone()
        for power in range(1, kernels):  # halving the width squares the kernel
            total += kernel.mul_(kernel).sum()
            slope.add_(kernel, alpha=2**power)
        ctx.save_for_backward(slope.div_(-widest))
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (slope,) = ctx.saved_tensors
        return slope * grad, None, None


def _distances(x: Tensor, y: Tensor) -> Tensor:
    """Squared distances of every pair; a point's distance to itself is exactly 0."""
    squared = torch.addmm(x.square().sum(1)[:, None] + y.square().sum(1), x, y.T, alpha=-2)
    squared = squared.clamp(min=0)
    return squared.fill_diagonal_(0) if x is y else squared
