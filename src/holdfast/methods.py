"""The shapes of methods. Nothing here imports torch or transformers at run time.

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
`gradient`; the configuration itself stays frozen. That object may have `rows` of its own, and `ask`,
where what is trained is to be asked otherwise. `start` may change the model in place, as by a layer
that is then trained.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from holdfast.interfaces import Model, Pair, Progress, Question, Row, View

if TYPE_CHECKING:
    import torch


class LossMethod(Protocol):
    """A method whose step is the gradient of a loss."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """An endless stream of rows, in the order of training."""
        ...

    def loss(self, model: Any, batch: Any, progress: Progress) -> "dict[str, torch.Tensor]":
        """Named scalar terms; their sum is the loss. Each is a mean over the batch."""
        ...


class GradientMethod(Protocol):
    """A method whose step is a gradient that no single loss has.

    Where it trains only a part of a weight it has `confined(name, gradient)`, which gives that part of somebody else's
    gradient by the weight: a guard's.
    """

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
    On a trainer by reinforcement `reward(rollouts, rewards, progress)` gives the rewards that count
    in place of those, one for each of the `training.feedback.rollouts.Rollout`s.
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
    """A method that is itself a trainer, such as one by reinforcement; it has a `training` recipe, too."""

    def trainer(self, model: Model, view: View, seed: int) -> Any:
        """A `training.harness.Harness` of any trainer's class around `model.network`, ready for `train()`."""
        ...


Stage = Literal["before", "during", "after"]
"""When a defence acts: the alignment, fine-tuning and post-fine-tuning stages of the survey arXiv 2409.18169."""


def stage_of(defence: Any) -> Stage:
    """When a defence acts, by its shape. Only those that act before are any use once the weights are released."""
    if isinstance(defence, GuardMethod):
        return "during"
    return "after" if isinstance(defence, MendMethod) else "before"
