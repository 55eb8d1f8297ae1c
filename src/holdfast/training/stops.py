"""What a run tells on its way: each step, and at each rung of a ladder the model as it is."""

from collections.abc import Callable
from typing import Any, TypeAlias

from transformers import TrainerCallback

from holdfast import processes
from holdfast.interfaces import Model, Progress
from holdfast.records import Budget, Score
from holdfast.training.cost import Meter
from holdfast.training.subject import Subject

OnStep: TypeAlias = Callable[[Progress, dict[str, float]], None]
OnRung: TypeAlias = Callable[[Model, Budget, dict[str, Score]], "bool | None"]
"""Is given the model, what has been spent, and what the method itself has measured; may say that it is enough."""


class Stops(TrainerCallback):
    """Reports each step, and stops at each rung of the ladder without disturbing the run.

    Of several processes the main one is told alone. The others wait for it, and hear whether it was enough.
    """

    def __init__(
        self, subject: Subject, meter: Meter, on_step: OnStep | None, ladder: tuple[int, ...], on_rung: OnRung | None
    ):
        self._subject = subject
        self._meter = meter
        self._on_step = on_step
        self._ladder = frozenset(ladder)
        self._on_rung = on_rung
        self.trainer: Any = None
        """Whose steps these are."""

    def at(self, step: int, told: Callable[[], dict[str, Score]]) -> bool:
        """After `step` steps: whether it is a rung, and enough there; `told` is what the method itself has measured."""
        if self._on_rung is None or step not in self._ladder:
            return False
        budget, enough = self._meter.budget(step), False
        with self._subject.at_rest() as model:
            if processes.main():
                enough = bool(self._on_rung(model, budget, told()))
        return processes.from_main(enough)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """After each of the trainer's steps."""
        if self._on_step and processes.main():
            self._on_step(Progress(state.global_step, state.max_steps), dict(self.trainer.terms))
        control.should_training_stop |= self.at(state.global_step, self.trainer.told)
