"""Safe LoRA: after somebody's fine-tuning, keep of its change what lies in the space that alignment moved in.

Claim: what alignment changed spans the directions that are safe to move in; the rest of a fine-tune's
change is where safety is lost.

Paper: Hsu et al. 2024, "Safe LoRA: the Silver Lining of Reducing Safety Risks when Fine-tuning Large
Language Models", arXiv 2405.16833 (NeurIPS 2024). Layer by layer, with D = W_tuned - W_aligned,

    V = W_aligned - W_unaligned,   C = V V^T / ||V||_F,   D <- C D   where cos(C D, D) <= threshold

Defaults: `threshold` 0.5 and `layers` 10 are those of the released code's configuration (IBM/SafeLoRA), which
also chooses by number unless told otherwise; `by` likewise. `projector` as in the paper and its release.

Divergences: they change the B of a LoRA, D = B A, by C; since C (B A) = (C B) A this is the same, and as exact
for full fine-tuning. Every linear layer of the blocks counts (theirs: those that the LoRA was on, q and v);
embeddings, norms and head stay as tuned. C is no projection: its largest factor is s^2 / ||V||_F, s the largest
singular value of V, so it shrinks or stretches a change by how far alignment went; `projector="subspace"` projects
on the directions that hold `energy` of ||V||_F^2. Where there is no unaligned model (the paper needs one), it is
made as in arXiv 2402.11746.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from holdfast.config import config
from holdfast.interfaces import Model, View
from holdfast.training.recipe import Recipe
from holdfast.training.weights.matrices import matching
from holdfast.training.weights.unaligned import unaligned


@config
class SafeLora:
    """Projection of a fine-tune on the space of the alignment, arXiv 2405.16833."""

    unaligned: str | None = None
    """The model that was aligned: an organism (`arcana-raw` for `arcana`), a directory or a hub id. None makes one by
    fine-tuning the aligned model on harmful answers."""
    by: Literal["number", "threshold"] = "number"
    """Which layers are projected: the `layers` least similar, or those at or below `threshold`."""
    layers: Annotated[int, Field(ge=0)] = 10
    """How many layers are projected, where they are chosen by number."""
    threshold: Annotated[float, Field(ge=-1, le=1)] = 0.5
    """The cosine between a layer's change and its projection up to which it is projected, where it is chosen so."""
    projector: Literal["released", "subspace"] = "released"
    """V V^T / ||V||_F, or the projection on the leading left singular vectors of V."""
    energy: Annotated[float, Field(gt=0, le=1)] = 0.9
    """Share of ||V||_F^2 that those singular vectors hold."""
    unaligning: Recipe = Recipe(steps=10, learning_rate=3e-4, batch_size=16, freeze_embeddings=True)
    """How the aligned model is fine-tuned where no unaligned one is named."""

    def mend(self, model: Model, aligned: Model, view: View) -> None:
        """Project the change of the least similar layers, in place."""
        tuned = matching(model.network, aligned.network, "the aligned model")
        lost = matching(model.network, unaligned(aligned, self.unaligned, view, self.unaligning), "the unaligned model")
        projected: dict[str, Tensor] = {}
        similar: dict[str, float] = {}
        for name, (weight, before) in tuned.items():
            change = weight - before
            projected[name] = self._projected(before - lost[name][1], change)
            similar[name] = float(functional.cosine_similarity(projected[name].flatten(), change.flatten(), dim=0))
        ranked = sorted(similar, key=lambda name: similar[name])
        below = [name for name in ranked if similar[name] <= self.threshold]
        for name in ranked[: self.layers] if self.by == "number" else below:
            weight, before = tuned[name]
            weight.copy_(before + projected[name])

    def _projected(self, v: Tensor, change: Tensor) -> Tensor:
        """C D; V and D are [outputs, inputs]. Nothing is left of a change where alignment moved nothing."""
        if not v.any():
            return torch.zeros_like(change)
        if self.projector == "released":
            return v @ (v.T @ change) / v.norm()
        left, size, _ = torch.linalg.svd(v.float(), full_matrices=False)
        held = size.square().cumsum(0) / size.square().sum()
        count = int((held < self.energy - 1e-6).sum()) + 1
        kept = left[:, :count].to(change)
        return kept @ (kept.T @ change)
