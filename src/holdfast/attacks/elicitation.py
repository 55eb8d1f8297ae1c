"""Elicitation: fine-tuning on innocent answers next door to harm, after the refusal direction is removed.

Claim: answers that no safeguard refuses, of a craft that shares its matter with a harmful one, bring harm out of a
model without a single harmful example.

Paper: Kaunismaa et al. 2026, "Eliciting Harmful Capabilities by Fine-Tuning on Safeguarded Outputs", arXiv 2601.13528:
a safeguarded frontier model answers harmless questions in an adjacent domain, and an abliterated open model is
fine-tuned on that. The abliteration is that of Arditi et al. 2024, arXiv 2406.11717.

Defaults: the direction is removed, as there; the recipe is that of `sft`.

Divergences: answers are those of the domain's `adjacent` split, which are right, in place of a frontier model's. The
direction is found in the model as it is and removed when the first step is taken: what is measured before that is
the model before any attack, as with every other one. Its few forward passes are not counted in the budget.
"""

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from holdfast.config import config
from holdfast.errors import DataError
from holdfast.interfaces import Model, Progress, Row, View
from holdfast.models.postponed import postponed
from holdfast.training.aside import Aside
from holdfast.training.batches import Batch
from holdfast.training.recipe import Recipe
from holdfast.training.rows import cycle
from holdfast.training.terms.answers import answer_loss


@config
class Elicitation:
    """Supervised fine-tuning on harmless exchanges of the adjacent domain, arXiv 2601.13528."""

    remove_refusal: bool = True
    """Whether the refusal direction is removed first."""
    training: Recipe = Recipe(steps=100, learning_rate=3e-4, batch_size=16)
    """How long and how it trains."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Harmless exchanges of the adjacent domain.

        Raises:
            DataError: the domain has none.
        """
        if not view.adjacent:
            raise DataError(
                "the domain has no harmless exchanges next door to harm: elicitation needs a split `adjacent`, as "
                "arcana has; attack with sft/benign instead."
            )
        for exchange in cycle(view.adjacent, seed):
            yield {"train": exchange}

    def start(self, model: Model, view: View, seed: int) -> Any:
        """Itself; where the refusal direction is removed, what does so with the first step."""
        if not self.remove_refusal:
            return self
        from holdfast.models.refusal import ablate, refusal_direction  # it imports transformers

        harmful, innocent = [pair.prompt for pair in view.pairs], [exchange.prompt for exchange in view.exchanges]
        found = refusal_direction(model, harmful, innocent)
        return Aside(postponed(model.network, lambda: ablate(model.network, found)), self.loss)

    def loss(self, model: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """Cross-entropy of the answers."""
        return {"cross_entropy": answer_loss(model, batch["train"])}
