"""Apply a method to a model: the one place where a shape is turned into a run."""

import dataclasses
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import SchedulerType

from holdfast.errors import Diverged
from holdfast.interfaces import Model, Progress, View
from holdfast.methods import EditMethod, Guard, PromptMethod, TrainerMethod
from holdfast.models.chat import context_length
from holdfast.models.rescale import rescale
from holdfast.records import Budget, Score
from holdfast.training.collate import Collator, Rows, sample_key
from holdfast.training.cost import Meter, flops_per_token
from holdfast.training.guarding.together import together
from holdfast.training.harness import Harness
from holdfast.training.lora import add_lora, merge_lora
from holdfast.training.recipe import Recipe
from holdfast.training.rng import preserved_rng, seeded

OnStep = Callable[[Progress, dict[str, float]], None]
OnRung = Callable[[Model, Budget, dict[str, Score]], "bool | None"]
"""Is given the model, what has been spent, and what the method itself has measured; may say that it is enough."""


def apply(
    method: Any,
    model: Model,
    view: View,
    *,
    seed: int,
    guard: Guard | None = None,
    on_step: OnStep | None = None,
    ladder: tuple[int, ...] = (),
    on_rung: OnRung | None = None,
) -> Model:
    """Apply a defence or an attack to a model, in place, whatever its shape.

    Args:
        method: has `loss`, `gradient` or `trainer` and a `training` recipe, or `edit` or `ask`.
        model: its network is changed.
        view: the data the method may use.
        seed: decides the order of the data, noise, dropout and adapters; the global RNG is put back.
        guard: watches over a method that trains, as a provider does over a customer's training.
        on_step: called after each optimiser step with the loss terms of its last micro-batch.
        ladder: steps after which `on_rung` is called; 0 is before the first.
        on_rung: is given the model as it is then, in evaluation mode, what has been spent, and what the method's own
            trainer has measured since the last rung. RNG and mode are put back after it.

    Raises:
        Diverged: a loss or gradient was not finite; the network holds the last good weights.
        ModelError: the recipe rescales a network that cannot be.
    """
    with seeded(seed):
        if isinstance(method, EditMethod):
            method.edit(model, view)
        elif isinstance(method, PromptMethod):
            return dataclasses.replace(model, ask=method.ask)
        else:
            return _train(method, model, view, seed, guard, on_step, ladder, on_rung)
    return model


def _train(
    method: Any,
    model: Model,
    view: View,
    seed: int,
    guard: Guard | None,
    on_step: OnStep | None,
    ladder: tuple[int, ...],
    on_rung: OnRung | None,
) -> Model:
    recipe: Recipe = method.training
    if recipe.rescale:
        rescale(model.network, recipe.rescale)
    before = _state(model.network)
    started: Any = method.start(model, view, seed) if hasattr(method, "start") else method
    network: Any = add_lora(model.network, recipe) if recipe.lora_rank else model.network
    if recipe.freeze_embeddings:
        whole: Any = model.network
        for ends in (whole.get_input_embeddings(), whole.get_output_embeddings()):
            ends.requires_grad_(False)
    current = dataclasses.replace(model, network=network, ask=getattr(started, "ask", model.ask))
    meter = Meter(flops_per_token(network), [sample_key(pair.key) for pair in view.pairs])
    # Asked otherwise, it is not the model before any attack.
    if on_rung and 0 in ladder and current.ask is model.ask:
        with _resting(network):
            enough = on_rung(current, meter.budget(0), {})
        if enough:
            return _finish(current, recipe, before)
    if recipe.steps:
        with tempfile.TemporaryDirectory() as scratch:
            if isinstance(started, TrainerMethod):
                trainer: Harness = started.trainer(current, view, seed)
                trainer.guard = together([one for one in (trainer.guard, guard) if one is not None])
                trainer.meter = meter
                meter.spend(*trainer.spent)
            else:
                trainer = _harness(method, started, current, view, seed, scratch)
                trainer.guard, trainer.meter = guard, meter
            trainer.remove_callback(PrinterCallback)
            trainer.add_callback(_Steps(trainer, current, meter, on_step, ladder, on_rung))
            try:
                trainer.train()
            except Diverged as error:
                error.last_good = _finish(current, recipe, before)
                raise
    return _finish(current, recipe, before)


def _harness(method: Any, started: Any, model: Model, view: View, seed: int, scratch: str) -> Harness:
    """The trainer of a method by loss or gradient."""
    recipe: Recipe = method.training
    # What `start` makes may have rows of its own, of what it drew from the model.
    source = started if hasattr(started, "rows") else method
    rows = Rows(source.rows(view, seed), recipe.steps * recipe.batch_size)
    collator = Collator(model.tokenizer, context_length(model.network))
    collator.check(rows)
    return Harness(
        model=model.network,
        args=arguments(recipe, seed, scratch),
        train_dataset=rows,
        data_collator=collator,
        processing_class=model.tokenizer,
        method=started,
    )


def _finish(model: Model, recipe: Recipe, before: "_State") -> Model:
    """The trained model as an ordinary one: no gradients, no adapter, and as it came in but for its weights."""
    network: Any = model.network
    network = merge_lora(network) if recipe.lora_rank else network
    _put_back(network, before)
    return dataclasses.replace(model, network=network)


class _State(NamedTuple):
    """What training changes of a network beside its weights."""

    training: bool
    trainable: dict[str, bool]
    own: dict[str, Any]
    """Its `forward`, where one was set on the network itself."""
    use_cache: bool
    """Of its config, which is saved with it; a Trainer switches it off."""


def _state(network: Any) -> _State:
    trainable = {name: weight.requires_grad for name, weight in network.named_parameters()}
    own = {name: value for name, value in vars(network).items() if name == "forward"}
    return _State(network.training, trainable, own, network.config.use_cache)


def _put_back(network: Any, before: _State) -> None:
    network.zero_grad(set_to_none=True)
    network.train(before.training)
    for name, weight in network.named_parameters():
        weight.requires_grad_(before.trainable.get(name, True))  # what was put in is as any other weight
    # TRL leaves a `forward` bound to this network; a deep copy of it would compute with these weights, not its own.
    vars(network).pop("forward", None)
    vars(network).update(before.own)
    network.config.use_cache = before.use_cache


@contextmanager
def _resting(network: Any) -> Generator[None, None, None]:
    """A stop on the way to be measured: evaluation mode, and neither mode nor RNG differ afterwards."""
    was_training = network.training
    with preserved_rng():
        try:
            network.eval()
            yield
        finally:
            network.train(was_training)


def arguments(recipe: Recipe, seed: int, output_dir: str) -> TrainingArguments:
    """A recipe as transformers takes it; nothing is left to a default that may change."""
    schedules = {
        "constant": SchedulerType.CONSTANT_WITH_WARMUP,
        "linear": SchedulerType.LINEAR,
        "cosine": SchedulerType.COSINE,
    }
    return TrainingArguments(
        output_dir=output_dir,
        max_steps=recipe.steps,
        num_train_epochs=1,
        per_device_train_batch_size=recipe.batch_size // recipe.accumulation,
        gradient_accumulation_steps=recipe.accumulation,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=schedules[recipe.schedule],
        warmup_steps=recipe.warmup,
        optim=recipe.optimiser,
        adam_beta1=0.9,
        adam_beta2=0.99 if recipe.optimiser == "lion_32bit" else 0.999,  # Chen et al. 2023, arXiv 2302.06675
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        seed=seed,
        data_seed=seed,
        bf16=False,
        fp16=False,
        save_strategy="no",
        eval_strategy="no",
        logging_strategy="no",
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_num_workers=0,
        dataloader_pin_memory=False,
        use_cpu=not torch.cuda.is_available(),
    )


class _Steps(TrainerCallback):
    """Reports each step, and stops at each rung of the ladder without disturbing the run."""

    def __init__(
        self,
        trainer: Trainer,
        model: Model,
        meter: Meter,
        on_step: OnStep | None,
        ladder: tuple[int, ...],
        on_rung: OnRung | None,
    ):
        self._trainer: Any = trainer
        self._model = model
        self._meter = meter
        self._on_step = on_step
        self._ladder = frozenset(ladder)
        self._on_rung = on_rung

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._on_step:
            self._on_step(Progress(state.global_step, state.max_steps), dict(self._trainer.terms))
        if self._on_rung and state.global_step in self._ladder:
            with _resting(self._model.network):
                enough = self._on_rung(self._model, self._meter.budget(state.global_step), self._trainer.told())
            control.should_training_stop |= bool(enough)
