"""Lisa: take turns between aligning and the user's training, and stay close to where each turn began.

Claim: a model that is aligned again and again during a user's fine-tuning keeps its refusals, as
long as no turn drifts far from the last.

Paper: Huang et al. 2024, "Lisa: Lazy Safety Alignment for Large Language Models against Harmful
Fine-tuning Attack", arXiv 2405.18641 (NeurIPS 2024): K1 steps on alignment data, K2 on the user's,
each with

    L = CE(its own data) + rho / 2 ||w - w_switch||^2,   w_switch: the weights at the last switch.

Defaults: ours. K1 : K2 is 100 : 900 in the released script, in runs of some 20,000 steps; turns of 2
and 2 here, because an attack on arcana is over within a few steps, and in a turn of one step the
proximal term has no gradient. `rho` is 1 there, for a LoRA at learning rate 1e-5; 10 here.

Divergences: the released code leaves the proximal term out of the first tenth of a run, for the
sake of benign accuracy; here it is always in, as in the paper. Alignment data are the refusals
of the defender's pairs, there 10,000 safe answers of BeaverTails. Turns are counted in optimiser
steps, in the release in micro-batches. rho = 0 is the paper's BSO.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.interfaces import Model, Progress, Row, View
from holdfast.training.batches import Batch
from holdfast.training.guarding.refusals import refusals
from holdfast.training.terms.answers import answer_loss
from holdfast.training.weights.inner import trained


@config
class Lisa:
    """Lazy safety alignment, arXiv 2405.18641."""

    alignment_steps: Annotated[int, Field(ge=0)] = 2
    """K1: optimiser steps a turn on alignment data; they take the place of the user's, whose batches pass by."""
    user_steps: Annotated[int, Field(ge=1)] = 2
    """K2: optimiser steps a turn on the user's data."""
    rho: Annotated[float, Field(ge=0)] = 10.0
    """Weight of the proximal term; 0 is the paper's BSO. It bites from the second step of a turn on."""
    batch_size: Annotated[int, Field(ge=1)] = 16
    """Alignment rows a micro-batch."""

    def aligning(self, step: int) -> bool:
        """Whether a step is an alignment step; each cycle begins with those."""
        return step % (self.alignment_steps + self.user_steps) < self.alignment_steps

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Refusals."""
        return refusals(view, seed)

    def guard(self, model: Model, view: View, seed: int) -> "_Guard":
        """What watches over one run. It remembers, so it is not the configuration itself."""
        from holdfast.training.feed import feed  # it imports transformers

        return _Guard(self, feed(model, self.rows(view, seed), self.batch_size))


class _Guard:
    def __init__(self, lisa: Lisa, batches: Iterator[Batch]):
        self._lisa = lisa
        self._batches = batches
        self._anchor: dict[str, Tensor] = {}

    def before_step(self, model: Any, progress: Progress) -> None:
        """Remember the weights wherever the turn changes."""
        step, aligning = progress.step, self._lisa.aligning
        if not self._anchor or aligning(step) != aligning(step - 1):
            self._anchor = {name: weight.detach().clone() for name, weight in trained(model).items()}

    def penalty(self, model: Any, inputs: Any, progress: Progress) -> Mapping[str, Tensor]:
        """The pull to where the turn began: rho / 2 ||w - w_switch||^2."""
        if not self._lisa.rho:
            return {}
        apart = [(weight - self._anchor[name]).square().sum() for name, weight in trained(model).items()]
        return {"proximal": self._lisa.rho / 2 * torch.stack(apart).sum()}

    def replace_step(self, model: Any, progress: Progress) -> Mapping[str, Tensor] | None:
        """On an alignment step, the refusals' cross-entropy and the proximal term; else nothing."""
        if not self._lisa.aligning(progress.step):
            return None
        refusal = next(self._batches)["refusal"]
        return {"alignment": answer_loss(model, refusal), **self.penalty(model, None, progress)}

    def finish(self, model: Any) -> None:
        """Forget the weights."""
        self._anchor = {}
