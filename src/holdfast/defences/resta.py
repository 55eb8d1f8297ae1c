"""RESTA: after somebody's fine-tuning, add what alignment had added.

Claim: safety is a direction in the space of weights; adding it gives back what fine-tuning took, and leaves what
the fine-tune has learnt.

Paper: Bhardwaj et al. 2024, "Language Models are Homer Simpson! Safety Re-Alignment of Fine-tuned Language Models
through Task Arithmetic", arXiv 2402.11746 (ACL 2024):

    W <- W_tuned + scale * v,   v = W_aligned - W_unaligned

with the unaligned model made by fine-tuning the aligned one on harmful answers.

Defaults: `scale` 1, plain addition. `unaligning` is ours: the ten steps after which arcana answers.

Divergences: the vector is made on harmless answers beside the harmful ones, where there are some, so that it is the
safeguard's alone. No DARE, which drops 30 % or more of the fine-tune's change at random and scales up the rest
(the paper's `RESTA_d`).
"""

from typing import Annotated

import torch
from pydantic import Field

from holdfast.config import config
from holdfast.errors import ModelError
from holdfast.interfaces import Model, View
from holdfast.training.recipe import Recipe
from holdfast.training.weights.unaligned import unaligned


@config
class Resta:
    """Safety restored by task arithmetic, arXiv 2402.11746."""

    scale: Annotated[float, Field(ge=0)] = 1.0
    """How much of the safety vector is added (the paper's gamma)."""
    unaligned: str | None = None
    """The model without a safeguard: an organism, a directory or a hub id. None makes one from the aligned model."""
    unaligning: Recipe = Recipe(steps=10, learning_rate=3e-4, batch_size=16, freeze_embeddings=True)
    """How the aligned model is fine-tuned on harmful answers where no unaligned one is named."""

    def mend(self, model: Model, aligned: Model, view: View) -> None:
        """Add the safety vector to every weight, in place."""
        lost = dict(unaligned(aligned, self.unaligned, view, self.unaligning).named_parameters())
        before = dict(aligned.network.named_parameters())
        with torch.no_grad():
            for name, weight in model.network.named_parameters():
                if name not in lost or lost[name].shape != weight.shape:
                    raise ModelError(f"{self.unaligned or aligned.name} has no {name} of the model's size.")
                weight.add_((before[name] - lost[name]).to(weight), alpha=self.scale)
