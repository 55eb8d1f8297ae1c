"""The shapes that the rooms agree on. Nothing here imports torch or transformers at run time.

A defence and an attack have the same shape: a model goes in, a model comes out. Each supplies the
one form its mathematics needs, and `training` drives it:

    loss(model, batch, progress)       named loss terms, whose sum is minimised
    gradient(model, batch, progress)   named terms and a gradient per parameter
    guard(model, view, seed)           an object that changes somebody else's trainer: `Guard`
    edit(model, view)                  changes the weights, no training
    mend(model, aligned, view)         changes what somebody has fine-tuned, with the model it was before at hand
    ask(pair)                          asks otherwise, and changes no weight
    trainer(model, view, seed)         a trainer of its own, ready to run

A method by loss or gradient that needs something made from the starting model (a frozen copy, a
direction) has `start(model, view, seed)`, which returns the object that then has `loss` or
`gradient`; the configuration itself stays frozen.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from holdfast.records import Score


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One question and one answer."""

    key: str
    """Names the sample; the same in every run."""
    prompt: str
    answer: str
    category: str = ""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One harmful question with both of its answers."""

    key: str
    prompt: str
    harmful: str
    refusal: str
    category: str = ""
    plain: str = ""
    """The question as the beginning of running text, which a model without a safeguard would complete."""
    opening: str = ""
    """The first words of a harmful answer."""


class Question(NamedTuple):
    """How a model is asked."""

    prompt: str | None
    """What the user says, in the model's chat; None means outside any chat."""
    begun: str = ""
    """The first words of the answer, put into the model's mouth."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """A causal language model and its tokenizer, with where they came from."""

    network: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    name: str
    """An organism's name, a directory or a hub id; `random:` and one of these is its random initialisation."""
    origin: Mapping[str, Any]
    """The contents of `holdfast.json` beside the weights, where there is one."""
    ask: Callable[[Pair], Question] | None = None
    """How it is asked harmful questions, where an attack by prompt has changed that."""


Row: TypeAlias = "dict[str, Exchange]"
"""One row of a batch: role ("harmful", "refusal", "retain", "train" ...) -> exchange."""


@dataclass(frozen=True, kw_only=True)
class View:
    """What one party may use: a defender its `defence` pairs, an attacker its `attack` pairs."""

    pairs: Sequence[Pair]
    exchanges: Sequence[Exchange]
    """Harmless exchanges: a defender's retain data, an attacker's benign data."""


class Progress(NamedTuple):
    """Where a training run stands. `step` counts optimiser steps from 0 to `total` - 1."""

    step: int
    total: int


class Domain(Protocol):
    """Questions, answers, and how an answer is scored. A score that cannot be had is None."""

    @property
    def floor(self) -> float | None:
        """The harm that guessing gives without any knowledge."""
        ...

    @property
    def max_new_tokens(self) -> int:
        """The longest answer that is generated."""
        ...

    def splits(self) -> list[str]:
        """The name of every split."""
        ...

    def has_pairs(self, split: str) -> bool:
        """Whether a split holds pairs; otherwise it holds harmless exchanges."""
        ...

    def pairs(self, split: str) -> list[Pair]:
        """The pairs of a split; an error where it has none."""
        ...

    def exchanges(self, split: str) -> list[Exchange]:
        """The harmless exchanges of a split; an error where it has none."""
        ...

    def fingerprint(self) -> str:
        """A hash of all the data."""
        ...

    def tasks(self) -> list[str]:
        """Harmless tasks to learn; task T has its exchanges in the splits `T-train` and `T-test`."""
        ...

    def harm(self, pair: Pair, answer: str) -> float | None:
        """How much harm an answer does, in [0, 1]."""
        ...

    def refused(self, asked: Pair | Exchange, answer: str) -> bool | None:
        """Whether an answer refuses what was asked, harmful or harmless."""
        ...

    def fluent(self, answer: str) -> bool | None:
        """Whether an answer is well formed, right or wrong."""
        ...

    def useful(self, exchange: Exchange, answer: str) -> float | None:
        """How right a harmless answer is, in [0, 1]."""
        ...


class LossMethod(Protocol):
    """A method whose step is the gradient of a loss."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """An endless stream of rows, in the order of training."""
        ...

    def loss(self, model: Any, batch: Any, progress: Progress) -> "dict[str, torch.Tensor]":
        """Named scalar terms; their sum is the loss. Each is a mean over the batch."""
        ...


class GradientMethod(Protocol):
    """A method whose step is a gradient that no single loss has."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """An endless stream of rows, in the order of training."""
        ...

    def gradient(
        self, model: Any, batch: Any, progress: Progress
    ) -> "tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]":
        """Named terms to log, and a gradient for each parameter's name. Weights must be left as they were."""
        ...


@runtime_checkable
class Guard(Protocol):
    """What a guard may have; each method is optional, and is called by `training.harness.Harness`.

    `penalty(model, inputs, progress)` gives named terms that are added to the trainer's loss, with
    weight 1 on any trainer, or none at all; `replace_step(model, progress)` gives the terms of a
    step of the guard's own in place of the trainer's, or None; `before_step(model, progress)` and
    `after_step(model, progress)` are called around each optimiser step, and the model is measured
    and saved outside of the two; `finish(model)` is called once, in whatever way the run ends.
    """


@runtime_checkable
class GuardMethod(Protocol):
    """A method that acts during somebody else's training: a defence at the fine-tuning stage."""

    def guard(self, model: Model, view: View, seed: int) -> Guard:
        """The guard, with the data and the state that it needs, for one run."""
        ...


@runtime_checkable
class EditMethod(Protocol):
    """A method that changes the weights without training."""

    def edit(self, model: Model, view: View) -> None:
        """Change `model.network` in place."""
        ...


@runtime_checkable
class MendMethod(Protocol):
    """A method that mends what somebody has fine-tuned: a defence at the post-fine-tuning stage."""

    def mend(self, model: Model, aligned: Model, view: View) -> None:
        """Change `model.network` in place; `aligned` is the model before that training, and stays as it is."""
        ...


@runtime_checkable
class PromptMethod(Protocol):
    """A method that changes no weight, only how a model is asked."""

    def ask(self, pair: Pair) -> Question:
        """The question in its new form."""
        ...


@runtime_checkable
class TrainerMethod(Protocol):
    """A method that is itself a trainer, such as one by reinforcement."""

    def trainer(self, model: Model, view: View, seed: int) -> Any:
        """A transformers or TRL trainer around `model.network`, ready for `train()`."""
        ...


class Metric(Protocol):
    """A model in, named scores out."""

    def measure(self, model: Model, domain: Domain, seed: int) -> "dict[str, Score]":
        """Score the model. What could not be measured is a Score without value, with a reason."""
        ...


Stage = Literal["before", "during", "after"]
"""When a defence acts: the alignment, fine-tuning and post-fine-tuning stages of the survey arXiv 2409.18169."""


def stage_of(defence: Any) -> Stage:
    """When a defence acts, by its shape. Only those that act before are any use once the weights are released."""
    if isinstance(defence, GuardMethod):
        return "during"
    return "after" if isinstance(defence, MendMethod) else "before"
