"""SEAM: couple harmful to harmless training, so that learning the one destroys the other.

Claim: where the gradients of a harmful and of a harmless loss point in opposite directions, harmful
fine-tuning makes the model useless before it makes it harmful.

Paper: Wang et al. 2025, "Self-Destructive Language Models", arXiv 2505.12186, equations 2 to 6:

    L = L_ul + alpha L_up + beta L_sd,    L_sd = cos(g_a, g_b)

with g_a and g_b the gradients of harmful and harmless cross-entropy, L_up the refusals' cross-entropy,
and L_ul = -log(1 + mean over layers of the harmful cross-entropy). With ^ for a unit vector and
c = cos(g_a, g_b), the gradient of L_sd is estimated without a Hessian by

    [ (g_a(w + e (^g_b - c ^g_a)) - g_a) / |g_a| + (g_b(w + e (^g_a - c ^g_b)) - g_b) / |g_b| ] / e

Defaults: `epsilon` 1e-3 as in the paper and its code (ZJUWYH/seam, `config/train.yaml`), which have alpha 1
(as here), beta 0.01 and ascent 1 for 7B. `ascent_weight` and `coupling_weight` are ours, for arcana.

Divergences: `retain_weight` adds harmless exchanges to L_up, which is refusals alone there. A token's
ascent ends at ln V nats and leaves norm and head alone; `bounded=False` is the paper's. The defects of
RepNoise's loss, which the code shares (`docs/methods/repnoise.md`), are not here. Gradients are clipped
and, where the model drops out, all four are taken under the same masks. Half-precision weights are
refused: they cannot hold a shift of `epsilon`.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.errors import ModelError
from holdfast.interfaces import Progress, Row, View
from holdfast.models.anatomy import anatomy
from holdfast.models.states import forward
from holdfast.training.batches import Batch, Tokens
from holdfast.training.recipe import Recipe
from holdfast.training.rng import preserved_rng
from holdfast.training.rows import paired
from holdfast.training.terms.answers import answer_loss
from holdfast.training.terms.losses import cross_entropy, targets
from holdfast.training.weights import inner

Weight = Annotated[float, Field(ge=0)]
Direction = dict[str, Tensor]


@config
class Seam:
    """Self-destructive model, arXiv 2505.12186."""

    ascent_weight: Weight = 0.1
    """Weight of L_ul: log(1 + the harmful answers' cross-entropy), which is maximised."""
    coupling_weight: Weight = 0.1
    """Beta: weight of the cosine between harmful and harmless gradient, which is minimised."""
    epsilon: Annotated[float, Field(gt=0)] = 1e-3
    """Length of the shift, in the space of all weights, by which the curvature is felt."""
    retain_weight: Weight = 1.0
    """Weight of the cross-entropy on harmless exchanges; 0, as in the paper, leaves them out."""
    bounded: bool = True
    """Whether a token's ascent ends at ln V nats, what guessing gives."""
    training: Recipe = Recipe(steps=100, learning_rate=3e-4, batch_size=16, schedule="cosine", freeze_embeddings=True)
    """How long and how it trains."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Pairs, with harmless exchanges beside them; without those nothing is coupled."""
        return paired(view, seed)

    def gradient(self, model: Any, batch: Batch, progress: Progress) -> tuple[dict[str, Tensor], Direction]:
        """The terms `refusal`, `retain`, `ascent` and `coupling`, each with its weight, and the sum of gradients."""
        terms = {"refusal": answer_loss(model, batch["refusal"])}
        if "retain" in batch and self.retain_weight:
            terms["retain"] = self.retain_weight * answer_loss(model, batch["retain"])
        if self.ascent_weight:
            terms["ascent"] = -self.ascent_weight * torch.log1p(self._layerwise(model, batch["harmful"]))
        total = inner.gradient(model, torch.stack(list(terms.values())).sum())
        if "retain" in batch and self.coupling_weight:
            cosine, slope = self._coupling(model, batch["harmful"], batch["retain"])
            terms["coupling"] = self.coupling_weight * cosine
            total = inner.combined((1.0, total), (self.coupling_weight, slope))
        return terms, total

    def _layerwise(self, model: Any, tokens: Tokens) -> Tensor:
        """The mean over layers of the cross-entropy, read by a norm and a head that stay."""
        parts, wanted = anatomy(model), targets(tokens)
        ceiling = math.log(model.config.get_text_config().vocab_size) if self.bounded else None
        states = forward(parts, tokens.input_ids, tokens.attention_mask, residual=True).residual
        losses = [
            cross_entropy(parts, parts.frozen_norm(state), wanted, train_head=False, ceiling=ceiling)
            for state in states
        ]
        return torch.stack(losses).mean()

    def _coupling(self, model: Any, harmful: Tokens, harmless: Tokens) -> tuple[Tensor, Direction]:
        """cos(g_a, g_b) and the estimate of its gradient."""
        if any(weight.dtype.itemsize < 4 for weight in inner.trained(model).values()):
            raise ModelError("`seam` shifts weights by less than half precision can hold: load the model in float32.")
        a, b = self._slope(model, harmful), self._slope(model, harmless)
        length_a, length_b = (inner.norm(slope).clamp(min=1e-12) for slope in (a, b))
        cosine = inner.dot(a, b) / (length_a * length_b)
        across_a = inner.combined((1 / length_b, b), (-cosine / length_a, a))
        across_b = inner.combined((1 / length_a, a), (-cosine / length_b, b))
        change_a = inner.combined((1.0, self._slope(model, harmful, across_a)), (-1.0, a))
        change_b = inner.combined((1.0, self._slope(model, harmless, across_b)), (-1.0, b))
        return cosine, inner.combined(
            (1 / (self.epsilon * length_a), change_a), (1 / (self.epsilon * length_b), change_b)
        )

    def _slope(self, model: Any, tokens: Tokens, shifted: Direction | None = None) -> Direction:
        """The gradient of the cross-entropy, here or `epsilon` along a direction, always under the same draws."""
        if shifted is None:
            with preserved_rng():
                return inner.gradient(model, answer_loss(model, tokens))
        with inner.elsewhere(model):
            inner.shift(model, shifted, self.epsilon)
            return inner.gradient(model, answer_loss(model, tokens))
