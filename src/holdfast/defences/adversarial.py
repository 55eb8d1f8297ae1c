"""Adversarial loss: learn to refuse, unlearn to comply.

Claim: raising the loss of harmful answers while keeping that of harmless ones makes later harmful
fine-tuning slower.

Paper: Rosati et al. 2024, "Immunization against harmful fine-tuning attacks", arXiv 2402.16382,
the demonstration: L = L_harmless - lambda * L_harmful.

Defaults: `ascent_weight` 0.1 is lambda in the code that the authors used for it as a baseline of
RepNoise (arXiv 2405.14577). The recipe is that of `repnoise` here, tuned on arcana, so that the two
are compared at the same cost.

Divergences: harmful cross-entropy counts up to ln V a token, what guessing gives, because an
unbounded ascent has no minimum; `bounded=False` is the paper's. `retain_weight` adds harmless
exchanges to L_harmless, which the paper takes from refusals alone, and `refusal_weight` is ours: 1 is
the paper's.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.interfaces import Progress, Row, View
from holdfast.models.anatomy import anatomy
from holdfast.models.states import forward
from holdfast.training.batches import Batch
from holdfast.training.recipe import Recipe
from holdfast.training.rows import paired
from holdfast.training.terms.losses import cross_entropy, targets


@config
class Adversarial:
    """The adversarial loss of arXiv 2402.16382."""

    ascent_weight: Annotated[float, Field(ge=0)] = 0.1
    """Lambda: weight of the harmful answers' cross-entropy, which is maximised."""
    bounded: bool = True
    """Whether a token's ascent ends at ln V nats."""
    refusal_weight: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the cross-entropy on refusals; 0 leaves them out, and what is left is plain gradient ascent."""
    retain_weight: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the cross-entropy on harmless exchanges; 0 leaves them out."""
    training: Recipe = Recipe(steps=100, learning_rate=3e-4, batch_size=32, schedule="cosine", freeze_embeddings=True)
    """How long and how it trains."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Pairs, with harmless exchanges beside them."""
        return paired(view, seed)

    def loss(self, model: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """L = refusal_weight * CE(refusal) + retain_weight * CE(retain) - ascent_weight * CE(harmful)."""
        parts = anatomy(model)
        weights = {"refusal": self.refusal_weight, "retain": self.retain_weight, "harmful": -self.ascent_weight}
        ceiling = math.log(model.config.get_text_config().vocab_size) if self.bounded else None
        terms: dict[str, Tensor] = {}
        for role, weight in weights.items():
            if role in batch and weight:
                tokens = batch[role]
                states = forward(parts, tokens.input_ids, tokens.attention_mask)
                capped = ceiling if role == "harmful" else None
                terms[role] = weight * cross_entropy(parts, states.final, targets(tokens), ceiling=capped)
        return terms
