"""What is done around each optimiser step of the harness."""

from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn
from transformers import TrainerCallback

from holdfast import processes
from holdfast.errors import Diverged
from holdfast.interfaces import Progress

if TYPE_CHECKING:
    from holdfast.training.harness import Harness


class Around(TrainerCallback):
    """Calls a guard around each optimiser step, and looks at the gradients before it."""

    def __init__(self, harness: "Harness"):
        self._harness = harness

    def _call(self, name: str, progress: Progress) -> None:
        hook = getattr(self._harness.guard, name, None)
        if hook is not None:
            with self._harness.drawing():
                hook(self._harness.model, progress)

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Tells the guard."""
        self._call("before_step", self._harness.progress)

    def on_pre_optimizer_step(self, *_: Any, **__: Any) -> None:
        """Raises Diverged where a gradient is not finite."""
        weights = cast(nn.Module, self._harness.model).parameters()
        grads = [weight.grad for weight in weights if weight.grad is not None]
        norm: Any = torch.nn.utils.get_total_norm(grads)
        if processes.deepspeed():  # it has taken the step within the backward pass
            engine: Any = self._harness.accelerator.deepspeed_engine_wrapped
            norm = torch.tensor(float(engine.get_global_grad_norm() or 0.0))
            self._harness.spoilt = not torch.isfinite(norm)
        if not torch.isfinite(norm.full_tensor() if hasattr(norm, "full_tensor") else norm):  # of split gradients
            raise Diverged(self._harness.state.global_step, {"gradient norm": float("nan")})

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Tells the guard."""
        # The Trainer has counted the step by now; it is still the one that was just taken.
        step, total = self._harness.progress
        self._call("after_step", Progress(step - 1, total))
