"""Lisa: take turns between aligning and the user's training, and never go far from the last turn.

Paper: Huang et al. 2024, "Lazy Safety Alignment", arXiv 2405.18641: K1 alignment steps, K2 user
steps, each with the proximal term rho / 2 ||w - w_switch||^2, w_switch the weights at the last
switch.

Defaults: K1 : K2 is 100 : 900 and rho is 1 there; 1 : 2 here, so that two turns fit into a test.

Divergences: alignment data are the refusals of the defender's pairs.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.interfaces import Exchange, Model, Progress, Row, View
from holdfast.models.anatomy import anatomy
from holdfast.models.states import forward
from holdfast.training.batches import Batch, as_batch
from holdfast.training.collate import Collator
from holdfast.training.inner import trained
from holdfast.training.losses import cross_entropy, targets
from holdfast.training.rows import cycle


@config
class Lisa:
    """Lazy safety alignment, arXiv 2405.18641."""

    alignment_steps: Annotated[int, Field(ge=0)] = 1
    """K1: optimiser steps a turn on alignment data; they take the place of the user's."""
    user_steps: Annotated[int, Field(ge=1)] = 2
    """K2: optimiser steps a turn on the user's data."""
    rho: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the proximal term."""
    batch_size: Annotated[int, Field(ge=1)] = 4
    """Alignment rows a micro-batch."""

    def aligning(self, step: int) -> bool:
        """Whether a step is an alignment step; each cycle begins with those."""
        return step % (self.alignment_steps + self.user_steps) < self.alignment_steps

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Refusals."""
        for pair in cycle(view.pairs, seed):
            yield {"refusal": Exchange(key=pair.key, prompt=pair.prompt, answer=pair.refusal)}

    def guard(self, model: Model, view: View, seed: int) -> "_Guard":
        """What watches over one run. It remembers, so it is not the configuration itself."""
        return _Guard(self, model, self.rows(view, seed))


class _Guard:
    def __init__(self, lisa: Lisa, model: Model, rows: Iterator[Row]):
        self._lisa = lisa
        self._rows = rows
        self._collate = Collator(model.tokenizer, getattr(model.network.config, "max_position_embeddings", None))
        self._anchor: dict[str, Tensor] = {}

    def before_step(self, model: Any, progress: Progress) -> None:
        """Remember the weights wherever the turn changes."""
        step, aligning = progress.step, self._lisa.aligning
        if step == 0 or aligning(step) != aligning(step - 1):
            self._anchor = {name: weight.detach().clone() for name, weight in trained(model).items()}

    def penalty(self, model: Any, inputs: Any, progress: Progress) -> Mapping[str, Tensor]:
        """rho / 2 ||w - w_switch||^2."""
        apart = [(weight - self._anchor[name]).square().sum() for name, weight in trained(model).items()]
        return {"proximal": self._lisa.rho / 2 * torch.stack(apart).sum()}

    def replace_step(self, model: Any, progress: Progress) -> Mapping[str, Tensor] | None:
        """On an alignment step, refusals' cross-entropy and the proximal term; else nothing."""
        if not self._lisa.aligning(progress.step):
            return None
        parts, refusal = anatomy(model), self._batch(next(model.parameters()).device)["refusal"]
        states = forward(parts, refusal.input_ids, refusal.attention_mask)
        return {
            "alignment": cross_entropy(parts, states.final, targets(refusal)),
            **self.penalty(model, None, progress),
        }

    def _batch(self, device: torch.device) -> Batch:
        rows = [next(self._rows) for _ in range(self._lisa.batch_size)]
        nested = self._collate(rows)
        return as_batch(
            {role: {name: part.to(device) for name, part in block.items()} for role, block in nested.items()}
        )
