"""LoRA around a network, merged back into it or read off it, by PEFT."""

import warnings
from typing import Any

from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from holdfast.errors import ModelError
from holdfast.models.anatomy import TEXT
from holdfast.training.recipe import Recipe
from holdfast.training.weights.vectors import Vector


def add_lora(network: PreTrainedModel, recipe: Recipe) -> Any:
    """A fresh adapter on every linear layer but the head (Hu et al. 2021; QLoRA's "all-linear"), experts included.

    Of a model that can see or hear, on those of the decoder of its text.
    """
    from peft import LoraConfig, get_peft_model  # 3.7 s to import, and most runs need no adapter

    settings = LoraConfig(
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,  # type: ignore[arg-type]
        lora_dropout=0.0,
        target_modules="all-linear",
        target_parameters=_experts(network) or None,
        exclude_modules=rf"(?!.*\b{TEXT}\b).*" if hasattr(network.base_model, TEXT) else None,
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in network.modules()),
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        # PEFT 0.21 still asks for a property that transformers has renamed.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        # It gives experts that are one tensor a rank of their own, and then looks for it among modules.
        warnings.filterwarnings("ignore", r"The following (rank|alpha)_pattern keys did not match", RuntimeWarning)
        return get_peft_model(network, settings)


def _experts(network: PreTrainedModel) -> list[str]:
    """How the names of tensors end that hold a linear layer of all experts of a block: [E, O, I] or [E, I, O]."""
    named = (name.split(".") for name, weight in network.named_parameters() if weight.dim() == 3)
    return sorted({f"experts.{name[-1]}" for name in named if "experts" in name})


def merge_lora(network: Any) -> PreTrainedModel:
    """The network with the adapter's change in its own weights, every weight trainable again."""
    merged: PreTrainedModel = network.merge_and_unload()
    return merged.requires_grad_(True)


def lora_of(network: Any) -> dict[str, Any]:
    """The weights of a network's adapter, by name."""
    from peft import get_peft_model_state_dict

    return get_peft_model_state_dict(network)


def with_lora(network: Any, weights: dict[str, Any]) -> Any:
    """A network that has an adapter of the same shape, with other weights of it; in place."""
    from peft import set_peft_model_state_dict

    set_peft_model_state_dict(network, weights)
    return network


def lora_changes(network: Any) -> dict[str, Vector]:
    """What the adapter of a network adds to each layer, by the layer's name in the network without it; copies.

    Raises:
        ModelError: it adapts experts that are one tensor, to whose output nothing can be added from outside.
    """
    from peft.tuners.lora import LoraLayer

    if _experts(network.get_base_model()):
        raise ModelError(
            "experts that are one tensor have no output of their own, so that what a LoRA learns of them cannot be "
            "kept as vectors beside the weights: security_vectors needs a dense model."
        )

    def kept(layer: Any, name: str = "default") -> Vector:
        down, up = (part[name].weight.detach().clone() for part in (layer.lora_A, layer.lora_B))
        return Vector(down, up, float(layer.scaling[name]))

    layers = network.get_base_model().named_modules()
    return {name: kept(layer) for name, layer in layers if isinstance(layer, LoraLayer)}
