"""Biases where a decoder's values are made, of the architecture's own kind.

The weights of attention sum to one, so what is added to every value of a head is added to the head's output:
sum_t a_t (v_t + b) = sum_t a_t v_t + b.
"""

import copy
from typing import Any, NamedTuple

import torch
from torch import nn

from holdfast.errors import ModelError
from holdfast.models.anatomy import anatomy


class Values(NamedTuple):
    """Where the values of one block's attention are made."""

    layer: nn.Linear
    """Its bias [K x D] has one entry a channel: D of each of K heads of keys and values."""
    size: int
    """D."""


def value_biases(network: Any) -> list[Values]:
    """The `v_proj` of every block, each with a bias, in place.

    Where the architecture has such biases by choice (`attention_bias` of Llama, Gemma, Qwen 3, Granite), the choice is
    made, and whatever gets a bias by it gets one of zeros: the function stays as it is, and what is saved is loaded.

    Raises:
        ModelError: the architecture has no such biases. The network is then as it was.
    """
    attentions: list[Any] = list(anatomy(network).attentions)
    for attention in attentions:
        if not isinstance(getattr(attention, "v_proj", None), nn.Linear) or not hasattr(attention, "head_dim"):
            raise ModelError(
                f"{type(attention).__name__} has no v_proj of its own, whose bias would be an offset to its heads: "
                "this needs an architecture such as Llama, Gemma, Granite, Qwen 2 or Qwen 3."
            )
    if any(attention.v_proj.bias is None for attention in attentions):
        _add(network, attentions)
    return [Values(attention.v_proj, attention.head_dim) for attention in attentions]


def _add(network: Any, attentions: list[Any]) -> None:
    settings = network.config.get_text_config()
    wanted = copy.deepcopy(settings)
    wanted.attention_bias = True
    with torch.device("meta"):  # what the architecture makes of that choice, without making it
        made = type(attentions[0])(wanted, 0)
    named = [name for name, part in made.named_modules() if "bias" in dict(part.named_parameters(recurse=False))]
    if not hasattr(settings, "attention_bias") or "v_proj" not in named:
        raise ModelError(
            f"{type(network).__name__} cannot have biases in its attention, so that a model with offsets to its heads "
            "would not be one of them: this needs an architecture such as Llama, Gemma, Granite, Qwen 2 or Qwen 3."
        )
    for attention in attentions:
        for name in named:
            layer = attention.get_submodule(name)
            if layer.bias is None:
                layer.bias = nn.Parameter(layer.weight.new_zeros(layer.out_features))
    settings.attention_bias = True
