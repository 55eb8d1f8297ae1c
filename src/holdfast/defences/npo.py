"""NPO: negative preference optimisation, a gradient ascent that ends by itself.

Claim: unlearning harmful answers by preference, with negative examples alone, forgets them without the
collapse of plain gradient ascent.

Paper: Zhang et al. 2024, "Negative Preference Optimization: From Catastrophic Collapse to Effective
Unlearning", arXiv 2404.05868 (COLM 2024), equation 3, with the retain loss of its NPO+RT:

    L = -(2 / beta) E log sigma(beta (NLL(y | x) - NLL_ref(y | x))) + retain_weight CE(retain)

NLL is summed over an answer's tokens, and ref is the model at the start. An answer's gradient is that of
ascent times 2 pi^beta / (pi^beta + pi_ref^beta): 1 at the start, 0 once it is forgotten.

Defaults: `beta` 0.1, both weights 1 and a summed NLL are those of licong-lin/negative-preference-optimization
(TOFU/config/forget.yaml; there 10 epochs of batch 16 at lr 1e-5 on Llama-2-7B). The recipe is that of
`repnoise` here, so that methods are compared at the same cost.

Divergences: cross-entropy of the refusals is added, since a defence has to say what is answered instead;
`refusal_weight=0` is the paper's. Retain cross-entropy is a mean over rows of means over tokens; theirs is one
mean over all tokens of a batch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from holdfast.config import config
from holdfast.interfaces import Model, Progress, Row, View
from holdfast.models.frozen import frozen
from holdfast.training.batches import Batch
from holdfast.training.recipe import Recipe
from holdfast.training.rows import paired
from holdfast.training.terms.answers import answer_costs, answer_loss

Weight = Annotated[float, Field(ge=0)]


@config
class NPO:
    """Negative preference optimisation, arXiv 2404.05868."""

    beta: Annotated[float, Field(gt=0)] = 0.1
    """Inverse temperature, per nat: the smaller, the further an answer is unlearned; towards 0 it is ascent."""
    forget_weight: Weight = 1.0
    """Weight of the NPO term."""
    refusal_weight: Weight = 1.0
    """Weight of the refusals' cross-entropy; 0, as in the paper, leaves them out."""
    retain_weight: Weight = 1.0
    """Weight of the cross-entropy on harmless exchanges; 0 leaves them out."""
    training: Recipe = Recipe(steps=100, learning_rate=3e-4, batch_size=32, schedule="cosine", freeze_embeddings=True)
    """How long and how it trains."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Pairs, with harmless exchanges beside them."""
        return paired(view, seed)

    def start(self, model: Model, view: View, seed: int) -> "_Compared":
        """The loss, with the model as it is now for a reference."""
        return _Compared(self, frozen(model.network))


@dataclass(frozen=True)
class _Compared:
    settings: NPO
    reference: Any

    def loss(self, model: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """The terms `forget`, `refusal` and `retain`, each with its weight."""
        beta, harmful = self.settings.beta, batch["harmful"]
        with torch.no_grad():
            before = answer_costs(self.reference, harmful)
        apart = answer_costs(model, harmful) - before
        forget = -(2 / beta) * functional.logsigmoid(beta * apart).mean()
        terms = {"forget": self.settings.forget_weight * forget}
        for role, weight in (("refusal", self.settings.refusal_weight), ("retain", self.settings.retain_weight)):
            if role in batch and weight:
                terms[role] = weight * answer_loss(model, batch[role])
        return terms
