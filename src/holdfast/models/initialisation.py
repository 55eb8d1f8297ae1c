"""Random initialisation, as a model of the name `random:NAME`: a control with NAME's shape and no knowledge at all."""

import contextlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import torch

from holdfast.models import devices

SEED: Final = 1
"""Of the weights; always one and the same. Not 0, with which `models.tiny` draws the tiny models themselves."""


def drawn(source: str, *, trust_remote_code: bool, dtype: "torch.dtype") -> Any:
    """A network of a model's class and configuration, with the weights that the class itself begins with.

    Args:
        source: a directory or a hub id. Its configuration is read, and none of its weights.
        trust_remote_code, dtype: as for `load`.

    Returns:
        The network. The global RNG is put back.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig

    settings: Any = AutoConfig.from_pretrained(source, trust_remote_code=trust_remote_code)
    with torch.random.fork_rng(devices.drawing()):
        torch.manual_seed(SEED)
        network: Any = AutoModelForCausalLM.from_config(settings, dtype=dtype, trust_remote_code=trust_remote_code)
    with contextlib.suppress(OSError):  # it has none, and the class's own stays
        network.generation_config = GenerationConfig.from_pretrained(source)
    return network
