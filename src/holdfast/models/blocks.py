"""New blocks between those of a decoder, which at first change nothing of what it computes."""

import copy
from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn

from holdfast.errors import ModelError
from holdfast.models.anatomy import anatomy
from holdfast.models.refusal import WRITERS

PER_LAYER: Final = ("layer_types", "mlp_layer_types", "no_rope_layers")
"""The entries of a configuration that are lists with one item a block."""
OTHERWISE: Final = ("mlp_only_layers", "moe_layers", "num_kv_shared_layers", "layer_rope_theta", "layers_block_type")
"""Entries that tell blocks apart in a way that is not followed here."""


@torch.no_grad()
def inject(network: Any, after: Sequence[int], *, drawn: bool = False) -> list[nn.Module]:
    """Put a new block after each of some blocks, in place: h + 0, since all that a new block writes is zero.

    The configuration then tells of the new number of blocks, so that the network is saved and loaded as any other.

    Args:
        network: a decoder without an adapter.
        after: blocks by number, from 0, or from -1 backwards; one named twice gets two.
        drawn: new blocks have weights as the architecture first draws them, from the global RNG; otherwise they are
            copies of the block that each follows.

    Returns:
        The new blocks, in their order.

    Raises:
        ModelError: there is no such block, or the architecture has no place for more. The network is then as it was.
    """
    blocks = list(anatomy(network).blocks)
    count, settings = len(blocks), network.config.get_text_config()
    if wrong := [number for number in after if not -count <= number < count]:
        raise ModelError(f"no block {wrong[0]} of {count}: name blocks from 0 to {count - 1}, or -1 for the last.")
    if odd := [name for name in OTHERWISE if getattr(settings, name, None)]:
        raise ModelError(f"{type(network).__name__} tells its blocks apart by {odd[0]}: none can be put between them.")
    path = next(name for name, part in network.named_modules() if isinstance(part, nn.ModuleList) and blocks[0] in part)
    sources = sorted((*range(count), *(number % count for number in after)))
    ordered: list[nn.Module] = []
    new: list[nn.Module] = []
    for place, source in enumerate(sources):
        if place and source == sources[place - 1]:
            new.append(_silent(network, blocks[source], source, drawn))
        ordered.append(new[-1] if place and source == sources[place - 1] else blocks[source])
    before = {name: list(value) for name in PER_LAYER if isinstance(value := getattr(settings, name, None), list)}
    expected = _logits(network)
    try:
        _arrange(network, path, ordered, {name: [value[at] for at in sources] for name, value in before.items()})
        if not torch.allclose(_logits(network), expected, rtol=1e-3, atol=1e-3 * float(expected.std())):
            raise ModelError(f"new blocks changed the function of {type(network).__name__}: it takes none.")
    except BaseException:
        _arrange(network, path, blocks, before)
        raise
    return new


def _silent(network: Any, block: nn.Module, number: int, drawn: bool) -> nn.Module:
    """A block that writes zeros to the residual stream."""
    if drawn:
        weight = next(block.parameters())
        try:
            made = type(block)(network.config.get_text_config(), number).to(weight)
        except TypeError as error:
            raise ModelError(f"a {type(block).__name__} cannot be made anew: {error}; let it be copied.") from error
        for module in made.modules():
            network._init_weights(module)
        made.train(block.training)
    else:
        made = copy.deepcopy(block)
    for path, module in made.named_modules():
        for name, weight in module.named_parameters(recurse=False):
            if path.rpartition(".")[2] in WRITERS or name in {"down_proj", "down_proj_bias"}:
                weight.zero_()
    return made


def _arrange(network: Any, path: str, blocks: list[nn.Module], lists: dict[str, list[Any]]) -> None:
    """Make these the network's blocks, each of which knows its number, by which it finds its part of a cache."""
    parent, _, name = path.rpartition(".")
    mode = network.get_submodule(path).training
    setattr(network.get_submodule(parent), name, nn.ModuleList(blocks))
    network.get_submodule(path).training = mode
    settings = network.config.get_text_config()
    settings.num_hidden_layers = len(blocks)
    for key, value in lists.items():
        setattr(settings, key, value)
    for number, block in enumerate(blocks):
        module: Any
        for module in block.modules():
            if hasattr(module, "layer_idx"):
                module.layer_idx = number


def _logits(network: Any) -> Tensor:
    """What it says to a few tokens, in evaluation mode and without a cache."""
    modes = [(module, module.training) for module in network.modules()]
    words = network.get_input_embeddings().weight
    ids = torch.linspace(0, len(words) - 1, 16, device=words.device).long()[None]
    try:
        return network.eval()(input_ids=ids, use_cache=False).logits.float()
    finally:
        for module, mode in modes:
            module.training = mode
