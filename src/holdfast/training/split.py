"""A network whose weights are split over processes by FSDP2 or DeepSpeed, made whole again.

Legend: P processes, each with 1/P of the weights.
"""

import copy
from collections.abc import Iterator
from typing import Any, Final

import torch
from torch import Tensor, nn

from holdfast import processes

_CHECKPOINTED: Final = "_checkpoint_wrapped_module."
"""What FSDP2's own checkpointing puts into the names of weights."""


def outline(network: Any) -> Any:
    """A copy of a network without weights, which lie on the meta device; buffers are copied."""
    known: dict[int, Any] = {}
    for weight in network.parameters():
        bare = nn.Parameter(torch.empty_like(weight, device="meta"), requires_grad=weight.requires_grad)
        known[id(weight)] = bare
    return copy.deepcopy(network, known)


def whole(network: Any, like: Any) -> Any:
    """An ordinary network in the CPU's memory, with the weights of one that is split. All processes have to ask.

    Args:
        network: the split one; it stays as it is.
        like: its `outline`, made before it was split.

    Returns:
        In the main process the network; in the others its outline.
    """
    made = copy.deepcopy(like)
    places = dict(made.named_parameters())
    for name, weight in _each(network):  # one at a time, so that no GPU has to hold them all
        if processes.main():
            kept = nn.Parameter(weight.to("cpu", copy=True), requires_grad=places[name].requires_grad)
            torch.utils.swap_tensors(places[name], kept)  # wherever it is: ends may be tied
    return made


def _each(network: Any) -> Iterator[tuple[str, Tensor]]:
    for name, weight in network.named_parameters():
        yield name.replace(_CHECKPOINTED, ""), _gathered(weight)


def _gathered(weight: Any) -> Tensor:
    """One weight, whole. Under DeepSpeed it is the optimiser's own in float32, where it has one."""
    if hasattr(weight.data, "full_tensor"):
        return weight.data.full_tensor()
    if not processes.deepspeed():
        return weight.data
    import deepspeed  # type: ignore[import-not-found] - it is no dependency
    from deepspeed.utils import safe_get_full_fp32_param  # type: ignore[import-not-found]

    if weight.requires_grad and (full := safe_get_full_fp32_param(weight)) is not None:
        return full
    if not hasattr(weight, "ds_id"):
        return weight.data
    with deepspeed.zero.GatheredParameters([weight]):
        return weight.data.clone()
