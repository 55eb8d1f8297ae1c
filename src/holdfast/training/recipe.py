"""How long and how a method trains: what every training method has in common."""

from importlib.util import find_spec
from typing import Annotated, Literal

from pydantic import Field

from holdfast.config import config


@config
class Recipe:
    """The settings of a training run, under the names that transformers gives them."""

    steps: Annotated[int, Field(ge=0)] = 100
    """Optimiser steps."""
    learning_rate: Annotated[float, Field(gt=0)] = 3e-4
    """Peak learning rate."""
    batch_size: Annotated[int, Field(ge=1)] = 16
    """Rows an optimiser step."""
    accumulation: Annotated[int, Field(ge=1)] = 1
    """Micro-batches an optimiser step is split into; must divide `batch_size`."""
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """What the learning rate does after warm-up."""
    warmup: Annotated[float, Field(ge=0)] = 0
    """Steps of linear warm-up; below 1, a fraction of all steps."""
    optimiser: Literal["adamw_torch", "sgd", "adafactor", "rmsprop", "adagrad", "lion_32bit"] = "adamw_torch"
    """An optimiser by the name transformers gives it; lion_32bit needs `holdfast[lion]`."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Decoupled weight decay."""
    max_grad_norm: Annotated[float, Field(ge=0)] = 1.0
    """Gradients are clipped to this norm; 0 means never."""
    freeze_embeddings: bool = False
    """Whether input embeddings and head stay as they are."""
    freeze_head: bool = False
    """Whether the head stays as it is; where it is tied, the input embeddings, too."""
    freeze_blocks: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Blocks that stay as they are, counted from 0."""
    lora_rank: Annotated[int, Field(ge=0)] = 0
    """0 trains every weight; above 0 a LoRA of that rank on every linear layer, merged at the end."""
    lora_alpha: Annotated[float, Field(gt=0)] = 16.0
    """Scale of the LoRA update: alpha / rank."""
    precision: Literal["fp32", "mixed", "bf16"] = "fp32"
    """What weights are held and multiplied in while they are trained: float32; float32, multiplied in bfloat16
    (autocast); or bfloat16 throughout, where a step below some 1/256 of a weight is rounded away, unless it goes into a
    LoRA, whose own weights stay in float32."""
    checkpointing: bool = False
    """Whether each block's activations are made anew for the backward pass: less memory, a third more work."""
    quantised: Literal["none", "nf4"] = "none"
    """nf4 trains a LoRA over weights held in 4 bits (QLoRA, arXiv 2305.14314), and adds it at the end to the weights as
    they came, not to those in 4 bits; needs a `lora_rank` above 0 and `holdfast[quant]`."""
    rescale: Annotated[float, Field(ge=0)] = 0
    """0 leaves the weights as they are; above 0 every pair of weights that can be scaled against one another is
    balanced and then scaled by this factor, before training. The function stays as it is."""

    def __post_init__(self) -> None:
        if self.batch_size % self.accumulation:
            raise ValueError(f"accumulation {self.accumulation} must divide batch_size {self.batch_size}")
        if self.quantised != "none" and not self.lora_rank:
            raise ValueError(f"quantised {self.quantised} trains a LoRA: give lora_rank above 0")
        for setting, wants, extra in (
            ("optimiser lion_32bit", self.optimiser == "lion_32bit", "lion"),
            (f"quantised {self.quantised}", self.quantised != "none", "quant"),
        ):
            if wants and find_spec("bitsandbytes") is None:
                raise ValueError(f"{setting} needs bitsandbytes: install it by `pip install 'holdfast[{extra}]'`")
