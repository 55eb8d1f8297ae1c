"""The types that a network's weights are held in."""

import re
from collections.abc import Mapping
from typing import Any, Final

import torch

from holdfast.errors import UnknownName

_NAMES: Final[Mapping[str, torch.dtype | None]] = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "auto": None,
}


def named(name: str) -> torch.dtype | None:
    """A type by its name; None for `auto`, as weights are stored.

    Raises:
        UnknownName: there is no such type.
    """
    if name not in _NAMES:
        raise UnknownName("type", name, _NAMES)
    return _NAMES[name]


def cast(network: Any, dtype: torch.dtype) -> dict[str, torch.dtype]:
    """Hold a network's weights in another type, in place; the types that they were held in, by name.

    Buffers stay as they are, since positions are computed from some of them; and so do weights that transformers
    keeps in float32 whatever a model is loaded in, as the routers of some mixtures of experts.
    """
    kept = getattr(network, "_keep_in_fp32_modules_strict", None) or ()
    stays = re.compile("|".join(rf"(^|\.){re.escape(part)}($|\.)" for part in kept)) if kept else None
    before: dict[str, torch.dtype] = {}
    for name, weight in network.named_parameters():
        before[name] = weight.dtype
        if weight.dtype != dtype and weight.is_floating_point() and not (stays and stays.search(name)):
            weight.data = weight.data.to(dtype)
    return before


def cast_back(network: Any, before: Mapping[str, torch.dtype]) -> None:
    """Hold weights in what `cast` found them in; those that were not there yet in what the first was.

    An adapter that PEFT has put on the network since stays as it is.
    """
    first = next(iter(before.values()))
    for name, weight in network.named_parameters():
        if "lora_" not in name:
            weight.data = weight.data.to(before.get(name.replace("base_layer.", ""), first))
