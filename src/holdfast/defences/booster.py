"""Booster: make a step of harmful training gain little.

Claim: where a step along the harmful gradient hardly lowers the harmful loss, fine-tuning on
harmful data takes longer to undo the alignment.

Paper: Huang et al. 2024, "Booster: Tackling Harmful Fine-tuning for Large Language Models via
Attenuating Harmful Perturbation", arXiv 2409.01586 (ICLR 2025), Algorithm 1:

    min_w f(w) + lambda (h(w) - h(w - alpha grad h(w) / ||grad h(w)||))

with f the loss of aligned answers and h that of harmful ones. The gradient at the inner point is
taken for that at w, so a step costs three gradients and no second derivative:

    grad f(w) + lambda (grad h(w) - grad h(w'))

Defaults: `step_length` 0.1 is the released code's (script/alignment/smooth_align.sh);
`attenuation_weight` is ours, for arcana: at the released 5 it teaches the harm there
(docs/methods/booster.md). The released recipe is for 7B: LoRA of rank 32 on the attention, lr 5e-4,
constant, AdamW with decay 0.1, 20 epochs of 5,000 aligned and 5,000 harmful answers at batch 10.

Divergences: harmless exchanges beside the refusals (`retain_weight`); every weight but the
embeddings is trained, not an adapter; aligned and harmful answers are to the same questions, where
the released code draws them apart; weights come back from a copy, to the bit, where it adds again
what it has taken away; dropout is the same at both points. `perturb_aware`, which adds Vaccine, is
left out. The norm is that of a batch's gradient, so accumulation is not the same step as one batch.
"""

from collections.abc import Iterator
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.interfaces import Progress, Row, View
from holdfast.training.batches import Batch
from holdfast.training.recipe import Recipe
from holdfast.training.rng import preserved_rng
from holdfast.training.rows import paired
from holdfast.training.terms.answers import answer_loss
from holdfast.training.weights import inner

Weight = Annotated[float, Field(ge=0)]


@config
class Booster:
    """Attenuated harmful perturbation, arXiv 2409.01586."""

    attenuation_weight: Weight = 0.5
    """Lambda: weight of what a harmful step gains, which is minimised; 0 leaves it out."""
    step_length: Annotated[float, Field(gt=0)] = 0.1
    """Alpha: length of the harmful step, over all weights together."""
    retain_weight: Weight = 1.0
    """Weight of the cross-entropy on harmless exchanges; 0, as in the paper, leaves them out."""
    training: Recipe = Recipe(steps=100, learning_rate=3e-4, batch_size=32, schedule="cosine", freeze_embeddings=True)
    """How long and how it trains."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Pairs, with harmless exchanges beside them."""
        return paired(view, seed)

    def gradient(self, model: Any, batch: Batch, progress: Progress) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Grad f(w) + lambda (grad h(w) - grad h(w')), at most four passes forward and three backward."""
        terms = {"refusal": answer_loss(model, batch["refusal"])}
        if "retain" in batch and self.retain_weight:
            terms["retain"] = self.retain_weight * answer_loss(model, batch["retain"])
        total = inner.gradient(model, torch.stack(list(terms.values())).sum())
        if self.attenuation_weight:
            with preserved_rng():  # both passes have the same dropout
                before = answer_loss(model, batch["harmful"])
                here = inner.gradient(model, before)
            with inner.elsewhere(model):
                inner.shift(model, here, -self.step_length / float(inner.norm(here).clamp(min=1e-12)))
                after = answer_loss(model, batch["harmful"])
                there = inner.gradient(model, after)
            terms["attenuation"] = self.attenuation_weight * (before - after)
            total = inner.combined((1.0, total), (self.attenuation_weight, here), (-self.attenuation_weight, there))
        return {name: term.detach() for name, term in terms.items()}, total
