"""Apply a method to a model: the one place where a shape is turned into a run."""

import dataclasses
import gc
import tempfile
import traceback
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from typing import Any, Final

from transformers import PrinterCallback

from holdfast import processes
from holdfast.errors import Diverged
from holdfast.interfaces import Model, View
from holdfast.methods import EditMethod, Guard, PromptMethod, TrainerMethod
from holdfast.models import devices
from holdfast.models.anatomy import inside_adapter
from holdfast.models.chat import context_length
from holdfast.models.rescale import rescale
from holdfast.training import heap
from holdfast.training.arguments import arguments, training_device
from holdfast.training.collate import Collator, Rows, sample_key
from holdfast.training.cost import Meter, flops_per_token
from holdfast.training.guarding.together import together
from holdfast.training.harness import Harness
from holdfast.training.recipe import Recipe
from holdfast.training.rng import seeded
from holdfast.training.several import check, check_alone
from holdfast.training.stops import OnRung, OnStep, Stops
from holdfast.training.subject import Subject

_SMALL: Final = 50_000_000
"""Parameters up to which nobody waits for a collection of garbage, which takes up to half a second, or for memory."""


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
        model: its network is changed, or takes part in the one that is returned.
        view: the data the method may use.
        seed: decides the order of the data, noise, dropout and adapters; the global RNG is put back.
        guard: watches over a method that trains, as a provider does over a customer's training.
        on_step: called after each optimiser step with the loss terms of its last micro-batch; of several processes,
            in the main one, with those of its own.
        ladder: steps after which `on_rung` is called; 0 is before the first.
        on_rung: is given the model as it is then, in evaluation mode, what has been spent, and what the method's own
            trainer has measured since the last rung. RNG and mode are put back after it. Called in the main process.

    Returns:
        The changed model. Where FSDP2 or DeepSpeed split its weights over processes, those are whole again in the main
        one, and on the meta device in the others.

    Raises:
        Diverged: a loss or gradient was not finite; its `last_good` has the last good weights, where there are some.
        ModelError: the recipe rescales a network that cannot be.
        ConfigError: it cannot be done in the processes there are, or its batch cannot be split over them.
    """
    if isinstance(method, EditMethod | PromptMethod):
        check_alone()
    with seeded(seed):
        if isinstance(method, EditMethod):
            method.edit(model, view)
        elif isinstance(method, PromptMethod):
            return dataclasses.replace(model, ask=method.ask)
        else:
            with _let_go(model.network):
                return _train(method, model, view, seed, guard, on_step, ladder, on_rung)
    return model


@contextmanager
def _let_go(network: Any) -> Generator[None]:
    """Leave nothing of a run of training behind.

    A trainer, its optimiser, the network and a reference hold each other: what is two or three times as large as a
    network would lie there until something else is collected, while that is copied, mended and saved.
    """
    large = sum(weight.numel() for weight in network.parameters()) > _SMALL
    with heap.kept() if large else nullcontext():
        try:
            yield
        except Diverged as error:
            traceback.clear_frames(error.__traceback__)  # the trainer is in them
            raise
        finally:
            if large:
                gc.collect()


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
    on = training_device(model.network, recipe)
    processes.join(on.type)
    with devices.training_on(on):
        if recipe.rescale:
            rescale(model.network, recipe.rescale)
        subject = Subject(model, recipe, on)
        started: Any = method.start(subject.model, view, seed) if hasattr(method, "start") else method
        check(started, recipe, guard)
        current = subject.begin(started)
        meter = Meter(flops_per_token(current.network), [sample_key(pair.key) for pair in view.pairs])
        stops = Stops(subject, meter, on_step, ladder, on_rung)
        # Asked otherwise, it is not the model before any attack.
        if (current.ask is not model.ask or not stops.at(0, dict)) and recipe.steps:
            _run(method, started, subject, view, seed, guard, meter, stops)
        return subject.end()


def _run(
    method: Any,
    started: Any,
    subject: Subject,
    view: View,
    seed: int,
    guard: Guard | None,
    meter: Meter,
    stops: Stops,
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        if isinstance(started, TrainerMethod):
            trainer: Harness = started.trainer(subject.model, view, seed)
            trainer.guard = together([one for one in (trainer.guard, guard) if one is not None])
            trainer.meter = meter
            meter.spend(*trainer.spent)
        else:
            trainer = _harness(method, started, subject.model, view, seed, scratch)
            trainer.guard, trainer.meter = guard, meter
        trainer.remove_callback(PrinterCallback)
        stops.trainer = trainer
        trainer.add_callback(stops)
        try:
            trainer.train()
        except Diverged as error:
            # DeepSpeed has taken the step by the time that its gradients can be looked at.
            error.last_good = None if trainer.spoilt else subject.end()
            raise


def _harness(method: Any, started: Any, model: Model, view: View, seed: int, scratch: str) -> Harness:
    """The trainer of a method by loss or gradient."""
    recipe: Recipe = method.training
    # What `start` makes may have rows of its own, of what it drew from the model.
    source = started if hasattr(started, "rows") else method
    rows = Rows(source.rows(view, seed), recipe.steps * recipe.batch_size)
    collator = Collator(model.tokenizer, context_length(model.network))
    collator.check(rows)
    # Of what PEFT wraps, FSDP2 would split no block by itself, and gather all of them at once.
    network = inside_adapter(model.network) if processes.fsdp() else model.network
    return Harness(
        model=network,
        args=arguments(recipe, seed, scratch),
        train_dataset=rows,
        data_collator=collator,
        processing_class=model.tokenizer,
        method=started,
    )
