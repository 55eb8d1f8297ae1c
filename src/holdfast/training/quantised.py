"""QLoRA (Dettmers et al. 2023, arXiv 2305.14314): linear layers held in 4 bits, to train a LoRA over.

4-bit NormalFloat with a scale for each 64 weights, the scales themselves in 8 bits (section 3): .516 bytes a weight.
Layers of the blocks alone: embeddings, head, norms, and experts that are one tensor stay as they are.
"""

import copy
from typing import Any

import torch
from torch import nn

from holdfast.models.precision import cast
from holdfast.training.recipe import Recipe
from holdfast.training.weights.matrices import linears, matrix


def waits(method: Any) -> bool:
    """Whether the weights of what a method is applied to wait in the CPU's memory, while others are trained."""
    recipe = getattr(method, "training", None)
    return isinstance(recipe, Recipe) and recipe.quantised != "none"


def in_four_bits(network: Any, recipe: Recipe, on: torch.device) -> Any:
    """A copy of a network with the linear layers of its blocks in 4 bits; the network stays as it is.

    Args:
        network: weights are read one layer at a time, wherever they lie.
        recipe: `precision` says what the copy computes in, and holds its other weights in.
        on: where the copy lies.

    Raises:
        ModelError: there are no linear layers.
    """
    layers = linears(network)
    # Theirs are not copied, since others take their places.
    bare = {id(layer.weight): nn.Parameter(torch.empty(0)) for layer in layers.values()}
    made: Any = copy.deepcopy(network, dict(bare))
    for (name, layer), place in zip(layers.items(), linears(made).values(), strict=True):
        _replace(made, place, _four_bits(layer, recipe, on), name)
    made.requires_grad_(False)
    if recipe.precision == "bf16":
        cast(made, torch.bfloat16)
    made.is_loaded_in_4bit = True  # by which PEFT knows
    return made.to(on)


def _four_bits(layer: Any, recipe: Recipe, on: torch.device) -> nn.Module:
    from bitsandbytes.nn.modules import Linear4bit, Params4bit  # it takes two seconds

    weights = matrix(layer)
    made: Any = Linear4bit(
        weights.shape[1],
        weights.shape[0],
        bias=layer.bias is not None,
        compute_dtype=torch.float32 if recipe.precision == "fp32" else torch.bfloat16,
        compress_statistics=True,
        quant_type="nf4",
        device="meta",
    )
    four: Any = Params4bit
    made.weight = four(weights.contiguous(), requires_grad=False, quant_type="nf4")
    made.bias = None if layer.bias is None else nn.Parameter(layer.bias.detach().clone(), requires_grad=False)
    return made.to(on)


def _replace(network: Any, place: nn.Module, by: nn.Module, name: str) -> None:
    for module in network.modules():
        for part, child in module.named_children():
            if child is place:
                setattr(module, part, by)
                return
    raise AssertionError(f"{name} is in the network")
