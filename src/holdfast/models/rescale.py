"""Undoing, or doing, what scales a decoder's weights against one another and leaves its function as it is.

D (U x * a) = (D / s) (s U x * a) for any a: a decoder has whole families of weights that are one function (Neyshabur
et al. 2015, Path-SGD, arXiv 1506.02617; Dinh et al. 2017, arXiv 1703.04933, section 3). Their gradients differ, so
that a defence can slow an attack by the scale of its weights alone. Whoever has the weights can undo that.

Not undone, since it needs more than a scale a channel: a matrix put between `v_proj` and `o_proj`; the scale of the
whole residual stream, which the norms' epsilon sees; that of `q_proj` and `k_proj` where they are normed (Qwen 3).
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, NoReturn

import torch
from torch import Tensor, nn

from holdfast.errors import ModelError
from holdfast.models.anatomy import Anatomy, anatomy

LAYOUT: Final = {
    "": {"self_attn", "mlp", "input_layernorm", "post_attention_layernorm"},
    "self_attn": {"q_proj", "k_proj", "v_proj", "o_proj"},
    "mlp": {"gate_proj", "up_proj", "down_proj"},
}
OPTIONAL: Final = {"q_norm", "k_norm", "act_fn"}


class Sides(NamedTuple):
    """Two sides whose product alone matters, channel by channel: views [*C, ...] of the network's own weights."""

    first: list[Tensor]
    second: list[Tensor]
    axes: int
    """How many leading axes number the channels C."""


@torch.no_grad()
def rescale(network: Any, factor: float) -> None:
    """Bring a network's weights to a canonical scale, then scale each pair by `factor`, in place.

    1. What RMS norms multiply by goes into the linears that read them; the norms are left with 1. The final norm
       goes into the head, unless the head's weights are the embeddings'.
    2. Of each pair, every channel's two sides get the same Euclidean norm: the geometric mean of what they had. A
       pair is `up_proj` and `down_proj`, `v_proj` and `o_proj`, or, by planes of rotation, `q_proj` and `k_proj`.
    3. The first side is multiplied by `factor`, the second divided by it. Norms stay at 1, or they would cancel it.

    What was scaled along these paths before, by positive numbers, leaves no trace.

    Args:
        network: a decoder with blocks as Llama's and no adapter: Llama, Qwen 2 and 3, Mistral, Gemma, Granite, Mixtral,
            OLMoE.
        factor: positive; 1 balances only.

    Raises:
        ModelError: the blocks are others, or the logits changed. The network is then as it was.
    """
    assert factor > 0
    parts = anatomy(network)
    for block in parts.blocks:
        _require(network, block)
    expected = _logits(network)
    saved = [(weight, weight.clone()) for weight in network.parameters()]
    try:
        _fold_norms(network, parts)
        for block in parts.blocks:
            for pair in _pairs(block):
                _scale(pair, factor)
        _check(network, expected)
    except BaseException:
        for weight, before in saved:
            weight.copy_(before)
        raise


def _require(network: Any, block: Any) -> None:
    """Refuse a block where a path may be missed: half undone would pass for undone."""
    for name, expected in LAYOUT.items():
        part = block.get_submodule(name)
        there = {child for child, _ in part.named_children()} - OPTIONAL
        if there != expected and not _is_mixture(part):
            _refuse(network, f"{name or 'a block'} has {', '.join(sorted(there))}")
    # Neither an adapter nor a quantised layer: scaling their base would leave the rest behind.
    linears = [part for name, part in block.named_modules() if name.endswith("_proj")]
    if others := {type(linear).__name__ for linear in linears if type(linear) is not nn.Linear}:
        _refuse(network, f"its linear layers are {', '.join(sorted(others))}")
    parts = block.self_attn
    if parts.v_proj.out_features != parts.k_proj.out_features or parts.o_proj.in_features != parts.q_proj.out_features:
        _refuse(network, "the widths of q_proj, k_proj, v_proj and o_proj do not fit together")


def _is_mixture(mlp: Any) -> bool:
    """Whether it is Mixtral's: a router, and experts of fused tensors [E, 2 I, H] and [E, H, I]."""
    if {name for name, _ in mlp.named_parameters()} != {"gate.weight", "experts.gate_up_proj", "experts.down_proj"}:
        return False
    count, hidden, width = mlp.experts.down_proj.shape
    return mlp.experts.gate_up_proj.shape == (count, 2 * width, hidden)


def _fold_norms(network: Any, parts: Anatomy) -> None:
    block: Any
    for block in parts.blocks:
        attention, mlp = block.self_attn, block.mlp
        heads = [attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight]
        _fold(network, block.input_layernorm, heads)
        mixture = _is_mixture(mlp)
        wide = [mlp.gate.weight, mlp.experts.gate_up_proj] if mixture else [mlp.gate_proj.weight, mlp.up_proj.weight]
        _fold(network, block.post_attention_layernorm, wide)
    head = network.get_output_embeddings()
    if head.weight is not network.get_input_embeddings().weight:
        _fold(network, parts.norm, [head.weight])


def _fold(network: Any, norm: Any, readers: list[Tensor]) -> None:
    """Move what a norm multiplies by into the input columns [..., H] of the linears that read it."""
    if (names := [name for name, _ in norm.named_parameters()]) != ["weight"]:
        _refuse(network, f"a norm has {', '.join(names) or 'no weights'}")
    some, ones = torch.linspace(1, 2, len(norm.weight)).to(norm.weight), torch.ones_like(norm.weight)
    zero, one = (torch.func.functional_call(norm, {"weight": value * ones}, (some,)) for value in (0, 1))
    offset = int(zero.any())  # Llama multiplies by the weight, Gemma by one more
    if offset and not torch.allclose(one, 2 * zero):
        _refuse(network, "a norm multiplies neither by its weight nor by one more")
    gain = norm.weight.double() + offset
    for reader in readers:
        reader.mul_(gain)
    norm.weight.fill_(1 - offset)


def _pairs(block: Any) -> Iterator[Sides]:
    attention, mlp = block.self_attn, block.mlp
    if _is_mixture(mlp):
        up = mlp.experts.gate_up_proj.chunk(2, dim=1)[1]
        yield Sides([up], [mlp.experts.down_proj.transpose(1, 2)], 2)
    else:
        yield Sides(_rows(mlp.up_proj), [mlp.down_proj.weight.T], 1)
    # K heads of keys and values, each for G heads of queries of D channels.
    size: int = attention.head_dim
    groups = attention.k_proj.out_features // size
    output = attention.o_proj.weight.unflatten(1, (groups, -1, size))
    yield Sides(
        [rows.unflatten(0, (groups, size)) for rows in _rows(attention.v_proj)], [output.permute(1, 3, 0, 2)], 2
    )
    if hasattr(attention, "q_norm") or hasattr(attention, "k_norm"):
        return
    # Channels i and i + D/2 are rotated together, so that one scale for both goes through the rotation
    # (Su et al. 2021, arXiv 2104.09864, in the layout of transformers' `rotate_half`).
    planes = (groups, -1, 2, size // 2)
    query, key = (
        [rows.unflatten(0, planes).movedim(3, 1) for rows in _rows(linear)]
        for linear in (attention.q_proj, attention.k_proj)
    )
    yield Sides(query, key, 2)


def _rows(linear: nn.Linear) -> list[Tensor]:
    """Its rows [O, I], and its bias [O] if it has one."""
    return [weight for weight in (linear.weight, linear.bias) if weight is not None]  # type: ignore[redundant-expr]


def _scale(pair: Sides, factor: float) -> None:
    first, second = _norms(pair.first, pair.axes), _norms(pair.second, pair.axes)
    both = (first * second).sqrt()
    alive = both > 0
    # With one side zero a channel does nothing, and any size of the other would do: the mean of the rest, so that
    # no trace of its old size is left. Zero itself would do as well, but could never be trained again.
    both = torch.where(alive, both, both[alive].mean() if alive.any() else 1.0)
    for side, size, wanted in ((pair.first, first, both * factor), (pair.second, second, both / factor)):
        scale = torch.where(size > 0, wanted / size, 1.0)
        for weight in side:
            weight.mul_(scale.reshape(scale.shape + (1,) * (weight.ndim - pair.axes)))


def _norms(side: list[Tensor], axes: int) -> Tensor:
    """Euclidean norms [*C], in double precision so that nothing is lost between 1e-38 and 0."""
    sizes = [torch.linalg.vector_norm(weight[..., None].flatten(axes), dim=-1, dtype=torch.float64) for weight in side]
    return torch.stack(sizes).square().sum(0).sqrt()


def _logits(network: Any) -> Tensor:
    """Logits [1, 16, V] of tokens from all over the vocabulary, in evaluation mode; no mode and no RNG changes."""
    modes = [(module, module.training) for module in network.modules()]
    words = network.get_input_embeddings()
    ids = torch.linspace(0, words.num_embeddings - 1, 16, device=words.weight.device).long()[None]
    try:
        return network.eval()(input_ids=ids, use_cache=False).logits
    finally:
        for module, mode in modes:
            module.training = mode


def _check(network: Any, expected: Tensor) -> None:
    """Half of the digits must be left that the weights' type has, or the norms' float32; rounding takes far fewer."""
    limit = max(torch.finfo(kind).eps for kind in (expected.dtype, torch.float32)) ** 0.5
    change, largest = (_logits(network) - expected).abs().max(), expected.abs().max()
    if not change <= limit * largest:  # nor may it be NaN
        _refuse(network, f"its logits changed by {change:.2g} ({largest:.2g} is the largest), more than rounding does")


def _refuse(network: Any, why: str) -> NoReturn:
    raise ModelError(
        f"{type(network).__name__} cannot be rescaled: {why}; expected are blocks as Llama's, plain linear layers and "
        "norms with a weight and no bias; leave training.rescale at 0."
    )
