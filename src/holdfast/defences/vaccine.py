"""Vaccine: learn to refuse while the hidden states are pushed the wrong way.

Claim: harmful fine-tuning breaks an alignment by letting the hidden embeddings of aligned text
drift; where answers stand the worst small drift, they stand that one longer.

Paper: Huang, Hu and Liu 2024, "Vaccine: Perturbation-aware Alignment for Large Language Models
against Harmful Fine-tuning Attack", arXiv 2402.01109 (NeurIPS 2024), Algorithm 1:

    min_w max_{||eps|| <= rho} L(w, e + eps),   eps_l = rho grad_{e_l} L / ||grad_{e_1 ... e_L} L||

with L the loss of aligned answers and e_l the output of the attention in block l: one pass finds
eps, a second takes the gradient with eps added. No harmful answer is seen.

Defaults: `radius` 2 is the released code's (README and train.py). Its recipe is for 7B: LoRA of
rank 8, lr 1e-3, cosine, 10 % warm-up, AdamW with decay 0.1, 50 epochs of 2,000 safe answers at
batch 5 (script/alignment/Vaccine.sh).

Divergences: each row of a batch has its own eps of length rho, so that a step does not depend on
how a batch is split; the released code has one for the whole batch (`shared=True`), which is about
rho / sqrt(batch size) a row. Harmless exchanges beside the refusals, unperturbed (`retain_weight`);
every weight but the embeddings is trained, not an adapter; dropout is the same in both passes.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.interfaces import Progress, Row, View
from holdfast.models.anatomy import anatomy
from holdfast.training.batches import Batch
from holdfast.training.guarding.refusals import refusals
from holdfast.training.recipe import Recipe
from holdfast.training.terms.withstand import withstand

Weight = Annotated[float, Field(ge=0)]


@config
class Vaccine:
    """Perturbation-aware alignment, arXiv 2402.01109."""

    radius: Weight = 2.0
    """Rho: length of the perturbation, over all blocks and tokens together; 0 is plain training."""
    shared: bool = False
    """Whether the length is that over all rows of a batch, as released, or of each row."""
    retain_weight: Weight = 1.0
    """Weight of the cross-entropy on harmless exchanges; 0, as in the paper, leaves them out."""
    training: Recipe = Recipe(steps=100, learning_rate=3e-4, batch_size=32, schedule="cosine", freeze_embeddings=True)
    """How long and how it trains."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Refusals, with harmless exchanges beside them."""
        return refusals(view, seed, retain=True)

    def gradient(self, model: Any, batch: Batch, progress: Progress) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Grad L(w, e + eps) of the refusals, and that of the harmless exchanges as they are."""
        return withstand(
            model,
            anatomy(model).attentions,
            batch,
            radius=self.radius,
            shared=self.shared,
            retain_weight=self.retain_weight,
        )
