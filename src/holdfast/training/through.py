"""Something computed within one forward pass of a network, whatever is wrapped around it.

DDP, FSDP2 and DeepSpeed act where the module that they wrap is called: they gather weights before its forward pass, and
see by its output which gradients to wait for. A method calls the parts of a network, not the network; so what it
computes is handed to the network's own `forward`, and called there.
"""

import functools
from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any, Final, TypeAlias

from torch import Tensor

from holdfast import processes
from holdfast.models.anatomy import anatomy

Compute: TypeAlias = Callable[[Any], Mapping[str, Tensor]]
"""From the network, as a method is given it, to named scalars."""

_INSIDE: Final = "holdfast_inside"


def open_up(network: Any) -> None:
    """Let a network's `forward` take what is to be computed inside it. To be called before it is wrapped."""
    plain = network.forward

    @functools.wraps(plain)
    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        inside: Compute | None = kwargs.pop(_INSIDE, None)
        if inside is None:
            return plain(*args, **kwargs)
        _keep_whole(self)
        return dict(inside(self))

    network.forward = MethodType(forward, network)


def through(wrapped: Any, compute: Compute) -> Mapping[str, Tensor]:
    """Compute within a forward pass of what wraps an opened network."""
    if processes.deepspeed():
        _lend_ends(wrapped.module)
    return wrapped(**{_INSIDE: compute})


def split_again(network: Any) -> None:
    """After the backward pass: what `through` kept whole, so that the next step sees the weights that this one made."""
    for part in _gathered_by_themselves(network):
        part.reshard()


def _keep_whole(network: Any) -> None:
    """Keep FSDP2 from splitting embeddings, final norm and head again before the backward pass is over.

    A method reads them apart from the trunk, several times a step and in any order, and FSDP2 gathers a module's
    weights just where that module begins.
    """
    for part in _gathered_by_themselves(network):
        part.unshard()
        part.set_reshard_after_backward(False, recurse=False)


def _lend_ends(network: Any) -> None:
    """The same for ZeRO-3: what other modules have, and the network's own forward pass reads."""
    import deepspeed  # type: ignore[import-not-found] - it is no dependency

    for weight in (weight for part in _ends(network) for weight in part.parameters()):
        if hasattr(weight, "ds_id"):
            deepspeed.zero.register_external_parameter(network, weight)


def _ends(network: Any) -> list[Any]:
    """Embeddings, final norm and head."""
    return [network.get_input_embeddings(), anatomy(network).norm, network.get_output_embeddings()]


def _gathered_by_themselves(network: Any) -> list[Any]:
    """Those of them that FSDP2 splits by themselves."""
    from torch.distributed.fsdp import FSDPModule

    return [part for part in _ends(network) if isinstance(part, FSDPModule)]
