"""LoRA around a network and merged back into it, by PEFT."""

import warnings
from typing import Any

from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from holdfast.training.recipe import Recipe


def add_lora(network: PreTrainedModel, recipe: Recipe) -> Any:
    """A fresh adapter on every linear layer but the head (Hu et al. 2021; QLoRA's "all-linear")."""
    from peft import LoraConfig, get_peft_model  # 3.7 s to import, and most runs need no adapter

    settings = LoraConfig(
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,  # type: ignore[arg-type]
        lora_dropout=0.0,
        target_modules="all-linear",
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in network.modules()),
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        # PEFT 0.21 still asks for a property that transformers has renamed.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        return get_peft_model(network, settings)


def merge_lora(network: Any) -> PreTrainedModel:
    """The network with the adapter's change in its own weights, every weight trainable again."""
    merged: PreTrainedModel = network.merge_and_unload()
    return merged.requires_grad_(True)
