"""The weight matrices within a decoder's blocks, for methods that change them by arithmetic."""

from typing import Any

from torch import Tensor, nn

from holdfast.errors import ModelError
from holdfast.models.anatomy import anatomy


def linears(network: Any) -> dict[str, nn.Module]:
    """The linear layers of the blocks by name, such as `0.mlp.up_proj`; neither embeddings nor head are among them.

    Experts that are fused into one tensor of three dimensions (Mixtral) are no linear layers.

    Raises:
        ModelError: there are none.
    """
    found = {
        f"{number}.{name}": module
        for number, block in enumerate(anatomy(network).blocks)
        for name, module in block.named_modules()
        if isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"  # GPT-2's
    }
    if not found:
        raise ModelError(f"{type(network).__name__} has no linear layers in its blocks, which are what this changes.")
    return found


def matrix(layer: nn.Module) -> Tensor:
    """A layer's weights as [outputs, inputs], without gradient; what is written to it changes the layer."""
    weight: Any = layer.weight
    return weight.detach().T if type(layer).__name__ == "Conv1D" else weight.detach()


def matching(network: Any, other: Any, what: str) -> dict[str, tuple[Tensor, Tensor]]:
    """The matrices of two networks of one architecture side by side, by the layer's name.

    Args:
        network, other: the two.
        what: what the second one is, for the message.

    Raises:
        ModelError: their layers differ in name or size.
    """
    mine, theirs = linears(network), linears(other)
    sizes = [{name: matrix(layer).shape for name, layer in layers.items()} for layers in (mine, theirs)]
    if sizes[0] != sizes[1]:
        apart = sorted(name for name in sizes[0].keys() | sizes[1].keys() if sizes[0].get(name) != sizes[1].get(name))
        raise ModelError(
            f"{what} has other layers than the model ({', '.join(apart[:3])}): give one of the same architecture."
        )
    return {name: (matrix(layer), matrix(theirs[name]).to(matrix(layer))) for name, layer in mine.items()}
