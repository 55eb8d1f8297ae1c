"""The weight matrices within a decoder's blocks by the outputs that they make, fused experts among them."""

from typing import Any

from torch import Tensor

from holdfast.models.anatomy import anatomy
from holdfast.training.weights.matrices import linears, matrix


def by_output(network: Any) -> dict[str, Tensor]:
    """Every linear layer's weights as [outputs, inputs], and experts in one tensor as [experts, outputs, inputs].

    Norms, biases, routers that are no linear layer, embeddings and head are not among them. All are views without
    gradient: what is written to one changes the network.

    Raises:
        ModelError: there are no linear layers.
    """
    found = {name: matrix(layer) for name, layer in linears(network).items()}
    for number, block in enumerate(anatomy(network).blocks):
        for path, module in block.named_modules():
            if "experts" not in path.split("."):
                continue
            for name, weight in module.named_parameters(recurse=False):
                if weight.ndim == 3:
                    turned = getattr(module, "is_transposed", False)  # gpt-oss has [experts, inputs, outputs]
                    view = weight.detach()
                    found[f"{number}.{path}.{name}"] = view.transpose(-1, -2) if turned else view
    return found
