"""What the head makes of states: cross-entropy without the logits of all at once.

Legend: N tokens, H width, V vocabulary.

With V = 128,256 the logits of a thousand tokens take half a gigabyte, their softmax and its gradient as much again.
Here a piece of the tokens is read at a time and its gradient is taken at once, in the buffer that held its logits, so
that nothing waits for the backward pass but one gradient of the states and one of the head. It is what Liger Kernel
(Hsu et al. 2024, arXiv 2410.10989, section 3.2) does on CUDA; here with a weight and a ceiling for each token, on any
device.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from holdfast.models.anatomy import Anatomy

LOGITS_AT_ONCE: Final = 2**21
"""Numbers that the logits of a piece may be without asking: 8 MB of float32."""
_SHARE_OF_HEAD: Final = 8
"""A piece may also be as many tokens as make its logits this share of the head's own weights: with few tokens a piece,
reading the weights takes longer than working with them."""
_HOOKS: Final = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def head_loss(
    parts: Anatomy,
    points: Float[Tensor, "N H"],
    labels: Int[Tensor, " N"],
    weights: Float[Tensor, " N"],
    *,
    train_head: bool = True,
    ceiling: float | None = None,
) -> Float[Tensor, ""]:
    """The weighted sum of the tokens' cross-entropies.

    Args:
        parts: the decoder whose head reads the states.
        points: states after a norm, each of which predicts a token.
        labels: those tokens.
        weights: how much each counts.
        train_head: whether the gradient reaches the head's weights.
        ceiling: nats a token above which a token's loss is constant.
    """
    size = max(1, LOGITS_AT_ONCE // _vocabulary(parts), points.shape[1] // _SHARE_OF_HEAD)
    trained = [weight for weight in parts.head_parameters if train_head and weight.requires_grad]
    matrix = _matrix(parts.linear)
    if matrix is not None and torch.is_grad_enabled():
        return _Fused.apply(points, matrix, labels, weights, parts.shaping, size, ceiling, bool(trained))

    def pieces(points: Tensor, *_: Tensor) -> Iterator[Tensor]:
        for part, wanted, share in zip(points.split(size), labels.split(size), weights.split(size), strict=True):
            nll = functional.cross_entropy(parts.head(part).float(), wanted, reduction="none")
            yield ((nll if ceiling is None else nll.clamp(max=ceiling)) * share).sum()

    return eager(pieces, points, *trained)


def eager(pieces: Callable[..., Iterator[Tensor]], *inputs: Tensor) -> Tensor:
    """The sum of scalars, each one's gradient taken as soon as it is made: nothing waits for the backward pass.

    Only first-order: the gradient is a constant of the graph.
    """
    if not torch.is_grad_enabled():
        return torch.stack(list(pieces(*inputs))).sum()
    return _Eager.apply(pieces, *inputs)


class _Eager(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pieces: Callable[..., Iterator[Tensor]], *inputs: Tensor) -> Tensor:
        # A weight stays itself, since `pieces` reads it inside a module; a state becomes a leaf.
        leaves = [t if t.is_leaf else t.detach().requires_grad_(t.requires_grad) for t in inputs]
        wanted = [leaf for leaf in leaves if leaf.requires_grad]
        values: list[Tensor] = []
        total: list[Tensor] = []
        with torch.enable_grad():
            # A view, because hooks that profilers and wrappers put on modules do not bear leaves here.
            given = (leaf if leaf is t else leaf.view_as(leaf) for leaf, t in zip(leaves, inputs, strict=True))
            for value in pieces(*given):
                values.append(value.detach())
                grads = torch.autograd.grad(value, wanted) if wanted else ()
                total = [old + new for old, new in zip(total, grads, strict=True)] if total else list(grads)
        found = iter(total)
        ctx.save_for_backward(*(next(found) if leaf.requires_grad else None for leaf in leaves))
        return torch.stack(values).sum()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return (None, *(None if saved is None else saved * grad for saved in ctx.saved_tensors))


class _Fused(torch.autograd.Function):
    """The same for a head that is one matrix, by hand: the gradient by the logits is made where the logits were."""

    @staticmethod
    def forward(
        ctx: Any,
        points: Tensor,
        head: Tensor,
        labels: Tensor,
        weights: Tensor,
        shaping: Callable[[Tensor], Tensor] | None,
        size: int,
        ceiling: float | None,
        train_head: bool,
    ) -> Tensor:
        kind = points.device.type
        exact = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else head.dtype
        total = torch.zeros((), device=points.device)
        of_points = torch.empty_like(points) if points.requires_grad else None
        of_head = torch.zeros_like(head) if train_head else None
        with torch.autocast(kind, enabled=False):
            matrix = head.to(exact)
            for at in range(0, len(points), size):
                piece, wanted, share = points[at : at + size].to(exact), labels[at : at + size], weights[at : at + size]
                raw = functional.linear(piece, matrix)
                logits = raw.float() if shaping is None else shaping(raw).float()
                normaliser = logits.logsumexp(1)
                nll = normaliser - logits.gather(1, wanted[:, None])[:, 0]
                if ceiling is not None:
                    share = share * (nll <= ceiling)
                    nll = nll.clamp(max=ceiling)
                total += (nll * weights[at : at + size]).sum()
                # softmax minus one-hot, times the token's weight
                slope = logits.sub_(normaliser[:, None]).exp_().mul_(share[:, None])
                slope.scatter_add_(1, wanted[:, None], -share[:, None].to(slope.dtype))
                slope = _through(shaping, raw, slope).to(exact)
                if of_points is not None:
                    of_points[at : at + size] = slope @ matrix
                if of_head is not None:
                    of_head.addmm_(slope.T.to(of_head.dtype), piece.to(of_head.dtype))
        ctx.save_for_backward(of_points, of_head)
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        assert not hasattr(ctx, "spent"), "what was saved is scaled in place, so it can be asked for once"
        ctx.spent = True
        of_points, of_head = (None if saved is None else saved.mul_(grad) for saved in ctx.saved_tensors)
        return of_points, of_head, *[None] * 6


def _through(shaping: Callable[[Tensor], Tensor] | None, raw: Tensor, slope: Tensor) -> Tensor:
    """The gradient by the raw logits, from that by the shaped ones."""
    if shaping is None:
        return slope
    with torch.enable_grad():
        raw = raw.detach().requires_grad_()
        return torch.autograd.grad(shaping(raw), raw, slope.to(raw.dtype))[0]


def _matrix(head: nn.Module | None) -> Tensor | None:
    """The matrix that a head is, where it is nothing else: neither quantised nor adapted, and nobody watches it."""
    if type(head) is not nn.Linear or any(getattr(head, hooks) for hooks in _HOOKS):
        return None
    return None if "bias" in dict(head.named_parameters()) else head.weight


def _vocabulary(parts: Anatomy) -> int:
    return parts.head_parameters[0].shape[0] if parts.head_parameters else LOGITS_AT_ONCE
