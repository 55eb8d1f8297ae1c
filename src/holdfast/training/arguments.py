"""A recipe as transformers takes it."""

from typing import Any, Final

import torch
from transformers import TrainingArguments
from transformers.trainer_utils import SchedulerType
from transformers.utils.import_utils import is_liger_kernel_available

from holdfast import processes
from holdfast.errors import ConfigError
from holdfast.models import devices
from holdfast.training.recipe import Recipe

_SCHEDULES: Final = {
    "constant": SchedulerType.CONSTANT_WITH_WARMUP,
    "linear": SchedulerType.LINEAR,
    "cosine": SchedulerType.COSINE,
}


def training_device(network: Any, recipe: Recipe) -> torch.device:
    """Where a network is trained: where it lies, unless it waits in the CPU's memory for its place on a GPU.

    Raises:
        ConfigError: its parts lie on several devices.
    """
    if devices.spread(network):
        raise ConfigError(
            f"the model is spread over devices (--device {devices.SPREAD}), and cannot be trained there: "
            "docs/scale.md says how one is that does not fit into one GPU."
        )
    waits = processes.placed() or recipe.quantised != "none"
    on: torch.device = network.device
    if on.type != "cpu" or not waits:
        return on
    return devices.device()


def per_process(recipe: Recipe) -> int:
    """Rows a micro-batch in each process.

    Raises:
        ConfigError: the batch cannot be split into as many equal parts.
    """
    parts = recipe.accumulation * processes.count()
    if recipe.batch_size % parts:
        raise ConfigError(
            f"batch_size {recipe.batch_size} is of all {processes.count()} processes together, and they are to take "
            f"{recipe.accumulation} micro-batches each: make it a multiple of {parts}."
        )
    return recipe.batch_size // parts


def arguments(recipe: Recipe, seed: int, output_dir: str) -> TrainingArguments:
    """A recipe as transformers takes it; nothing is left to a default that may change.

    The device is the one that `models.devices` says is trained on, else the CPU.

    Args:
        recipe: `batch_size` counts the rows of a step in all processes together.
        seed: decides everything that is drawn.
        output_dir: where nothing is written.

    Raises:
        ConfigError: the batch cannot be split over the processes.
    """
    on = devices.training()
    return on_one_gpu(
        TrainingArguments(
            output_dir=output_dir,
            max_steps=recipe.steps,
            num_train_epochs=1,
            per_device_train_batch_size=per_process(recipe),
            gradient_accumulation_steps=recipe.accumulation,
            learning_rate=recipe.learning_rate,
            lr_scheduler_type=_SCHEDULES[recipe.schedule],
            warmup_steps=recipe.warmup,
            optim=recipe.optimiser,
            adam_beta1=0.9,
            adam_beta2=0.99 if recipe.optimiser == "lion_32bit" else 0.999,  # Chen et al. 2023, arXiv 2302.06675
            weight_decay=recipe.weight_decay,
            max_grad_norm=recipe.max_grad_norm,
            seed=seed,
            data_seed=seed,
            bf16=recipe.precision == "mixed",
            fp16=False,
            activation_checkpointing=recipe.checkpointing,
            # Re-entrant, recorded states would be cut off from the weights.
            activation_checkpointing_kwargs={"use_reentrant": False} if recipe.checkpointing else None,
            save_strategy="no",
            eval_strategy="no",
            logging_strategy="no",
            logging_nan_inf_filter=False,
            report_to="none",
            disable_tqdm=True,
            remove_unused_columns=False,
            dataloader_num_workers=0,
            dataloader_pin_memory=False,
            # A method need not use every weight in every step; checkpoints that are not re-entrant bear it.
            ddp_find_unused_parameters=True if processes.count() > 1 else None,
            # Of norms, rotary embeddings and MLPs; a method's own loss is no matter of the network's forward pass.
            use_liger_kernel=on is not None and on.type == "cuda" and is_liger_kernel_available(),
            liger_kernel_config={"cross_entropy": False, "fused_linear_cross_entropy": False},
            # DeepSpeed finds a CPU by itself, and accelerate leaves it out where it is told of one.
            use_cpu=(on is None or on.type == "cpu") and not processes.deepspeed(),
        )
    )


def on_one_gpu(made: Any) -> Any:
    """Arguments of transformers or TRL for one GPU a process: of several it would use all, by nn.DataParallel.

    That puts a copy of the network on each, and takes no batch of ours.
    """
    if made.n_gpu > 1:
        made._n_gpu = 1
    return made
