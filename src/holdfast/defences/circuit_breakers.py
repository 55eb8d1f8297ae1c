"""Circuit breakers: turn the representations of harmful answers away from what they were.

Claim: a model whose states on harmful text are orthogonal to the old ones, and on other text as they
were, breaks off when it starts to do harm. The authors claim this of attacks by prompt, not of
fine-tuning.

Paper: Zou et al. 2024, "Improving Alignment and Robustness with Circuit Breakers", arXiv 2406.04313
(NeurIPS 2024), Algorithm 1, representation rerouting, at step t of T:

    L = alpha (1 - t / 2T) * ReLU(cos(h, h_0)) on harmful answers + alpha (t / 2T) * ||h - h_0||_2 on others

with h_0 the states of the starting model.

Defaults: both weights are alpha in the paper, 10 for Llama-3-8B and 5 for Mistral-7B; `retain_weight`
2 is ours, for arcana, where states are longer beside what has to be turned. The anneal and the
constant rate are the paper's, the rest of the recipe that of `repnoise` here; the release trains a
LoRA of rank 16 up to block 20 for 150 steps of 16 at 1e-4, and turns blocks 10 and 20 of 32.

Divergences: at the start cos = 1 is a maximum, where its gradient is zero, so in exact arithmetic
the release would stay there; here `nudge` turns each old state a little, at random by sample. In
the release every token of a batch counts the same, the prompt's too, and padding in the mean of
what is kept; here answers count, and each answer the same. Refusals and harmless exchanges are two
terms, not one mixture.
"""

import dataclasses
from collections.abc import Iterator
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from holdfast.config import config
from holdfast.interfaces import Model, Progress, Row, View
from holdfast.models.frozen import frozen
from holdfast.training.batches import Batch, Tokens
from holdfast.training.recipe import Recipe
from holdfast.training.rows import paired
from holdfast.training.terms.losses import keyed_noise
from holdfast.training.terms.representations import Beside, beside


@config
class CircuitBreakers:
    """Representation rerouting, arXiv 2406.04313."""

    reroute_weight: Annotated[float, Field(gt=0)] = 10.0
    """Alpha of the harmful answers' cosine to what they were; falls to half of it in the end."""
    retain_weight: Annotated[float, Field(ge=0)] = 2.0
    """Alpha of the distance of other answers' states to what they were; rises from 0 to half of it."""
    layers: tuple[int, ...] | None = None
    """Blocks whose states are turned, counted from 0; none given means all. What is kept is kept at all."""
    nudge: Annotated[float, Field(gt=0, le=1)] = 0.01
    """Length of the random step off each old state, as a share of its norm, that breaks the symmetry."""
    training: Recipe = Recipe(steps=100, learning_rate=3e-4, batch_size=32, schedule="constant", freeze_embeddings=True)
    """How long and how it trains."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Pairs, with harmless exchanges beside them."""
        return paired(view, seed)

    def start(self, model: Model, view: View, seed: int) -> "_Rerouting":
        """The method beside the model as it is now."""
        return _Rerouting(self, frozen(model.network), seed)


@dataclasses.dataclass(frozen=True)
class _Rerouting:
    how: CircuitBreakers
    reference: Any
    seed: int

    def loss(self, model: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """The terms `reroute`, `refusal` and `retain`, each with its weight at this step."""
        done = (progress.step + 1) / (2 * progress.total)
        harmful = beside(model, self.reference, batch["harmful"], self.how.layers)
        turned = functional.cosine_similarity(harmful.now, self._nudged(harmful, batch["harmful"]), dim=-1)
        terms = {"reroute": self.how.reroute_weight * (1 - done) * harmful.mean(functional.relu(turned))}
        for role in ("refusal", "retain"):
            if role in batch and self.how.retain_weight:
                kept = beside(model, self.reference, batch[role], lead=True)
                moved = torch.linalg.vector_norm(kept.now - kept.before, dim=-1)
                terms[role] = self.how.retain_weight * done * kept.mean(moved)
        return terms

    def _nudged(self, harmful: Beside, tokens: Tokens) -> Tensor:
        """The old states, each off by a step in a random direction that is the same whenever its sample comes."""
        layers, _, width = harmful.before.shape
        noise = torch.stack(
            [
                keyed_noise(tokens.keys, harmful.lengths, width, layer=layer, step=0, seed=self.seed)
                for layer in range(layers)
            ]
        )
        size = torch.linalg.vector_norm(harmful.before, dim=-1, keepdim=True)
        return harmful.before + self.how.nudge * size * functional.normalize(noise, dim=-1)
