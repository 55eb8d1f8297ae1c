"""A guard on a trainer that somebody has built already, and on every trainer that is asked to train meanwhile."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast
from weakref import WeakSet

from transformers import PreTrainedModel, PreTrainedTokenizerBase, Trainer, TrainerCallback

from holdfast.errors import ConfigError, HoldfastError, ModelError
from holdfast.interfaces import Model
from holdfast.methods import Guard
from holdfast.models.anatomy import inside_adapter
from holdfast.models.chat import check_chat
from holdfast.models.frozen import copied
from holdfast.training.guarding.together import together
from holdfast.training.harness import Harness, guarded
from holdfast.training.lora import merge_lora


def subject(trainer: Trainer) -> Model:
    """What a trainer trains, as a defence is given it. Where an adapter lies on it, it is a merged copy.

    Raises:
        ConfigError: it trains in several processes, or on several devices.
        ModelError: it is no causal language model, or has no tokenizer with a chat template and a pad token.
    """
    kind, network, tokenizer = type(trainer).__name__, cast("Any", trainer.model), cast("Any", trainer.processing_class)
    whole = inside_adapter(network)
    if not isinstance(whole, PreTrainedModel) or not whole.can_generate() or whole.config.is_encoder_decoder:
        raise ModelError(f"{kind} trains a {type(whole).__name__}, and a guard takes a causal language model.")
    if trainer.args.world_size > 1 or trainer.args.n_gpu > 1:
        raise ConfigError(
            "a guard acts in one process on one device: start the script without a launcher, CUDA_VISIBLE_DEVICES=0."
        )
    tokenizer = getattr(tokenizer, "tokenizer", tokenizer)  # a processor has one
    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        raise ModelError(f"{kind} has no tokenizer, and a guard has texts of its own: pass processing_class=tokenizer.")
    name = whole.config.name_or_path or type(whole).__name__
    check_chat(tokenizer, name)
    merged = whole if whole is network else merge_lora(copied(network))
    return Model(network=merged, tokenizer=tokenizer, name=name, origin={})


def outcome(trainer: Trainer) -> Model:
    """What a trainer has trained, as an ordinary model. The trainer is of no use afterwards: nothing is copied."""
    network: Any = trainer.model
    network = merge_lora(network) if hasattr(network, "peft_config") else network
    vars(network).pop("forward", None)  # TRL's and accelerate's
    network.config.use_cache = True  # a trainer switches it off
    tokenizer: Any = trainer.processing_class
    tokenizer = getattr(tokenizer, "tokenizer", tokenizer)
    return Model(network=network.eval(), tokenizer=tokenizer, name=network.config.name_or_path, origin={})


def watch(trainer: Trainer, guard: Guard) -> None:
    """Put a guard on a trainer of any class, beside those that it has; its class becomes `guarded` of what it was.

    At the end of a run that was not guarded after all, the trainer raises HoldfastError.
    """
    if isinstance(trainer, Harness):
        trainer.guard = together([one for one in (trainer.guard, guard) if one is not None])
        return
    changed: Any = trainer
    trainer.add_callback(_Acted(trainer, type(trainer).__name__))
    changed.__class__ = guarded(type(trainer))
    changed.attach(guard=guard)


class _Acted(TrainerCallback):
    """Sees at the end of a run that its guard could act: a trainer may make its steps in a way that passes it by."""

    def __init__(self, trainer: Trainer, kind: str):
        self._trainer: Any = trainer
        self._kind = kind

    def on_train_end(self, *_: Any, **__: Any) -> None:
        watched = self._trainer
        adds = any(hasattr(watched.guard, hook) for hook in ("penalty", "replace_step"))
        if adds and watched.state.global_step and not watched.terms:
            raise HoldfastError(
                f"the guard has added nothing to what {self._kind} learned: its weights are 0, or {self._kind} makes "
                "its steps without Trainer.compute_loss, and then no guard can act."
            )


@contextmanager
def each_training(around: Callable[[Trainer], AbstractContextManager[None]]) -> Generator[None]:
    """Stand around every trainer's training: its `train()` is run within `around(trainer)` when it is first called.

    There a guard may be put on it. Trainings of our own, by a method, are left alone.
    """
    patched: Any = Trainer
    train, known = Trainer.train, WeakSet[Trainer]()

    def told(trainer: Trainer, *args: Any, **kwargs: Any) -> Any:
        own = isinstance(trainer, Harness) and trainer.method is not None
        if own or trainer in known:
            return train(trainer, *args, **kwargs)
        known.add(trainer)
        inside = isinstance(trainer, Harness)  # its own `train` stands around this call, and ends its guard
        with around(trainer):
            try:
                return train(trainer, *args, **kwargs)
            finally:
                guard: Any = getattr(trainer, "guard", None)
                if not inside and hasattr(guard, "finish"):
                    guard.finish(trainer.model)

    patched.train = told
    try:
        yield
    finally:
        patched.train = train
