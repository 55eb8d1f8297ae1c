"""What a network is: a hash of its weights."""

import hashlib
from typing import Any

import torch
from torch import Tensor


def weights_hash(network: Any) -> str:
    """The SHA-256 of every tensor's name, type, shape and bytes, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    tensors: dict[str, Tensor] = network.state_dict()
    if any(tensor.is_meta for tensor in tensors.values()):
        # Of a network that is spread, what does not fit on the GPUs comes there layer by layer.
        from accelerate.utils.modeling import get_state_dict_offloaded_model

        tensors = get_state_dict_offloaded_model(network)
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
