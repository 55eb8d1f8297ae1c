"""Triplet: gather the representations of harmful answers in one place, far from where they were.

Claim: contrastive learning separates harmful representations from harmless ones more sharply than
circuit breakers, which it extends by a common place for all that is harmful.

Paper: Simko, Sachan, Schoelkopf and Jin 2025, "Improving Large Language Model Safety with Contrastive
Representation Learning", arXiv 2506.11938 (EMNLP 2025), equations 7 to 9; primes are the model in
training, c' the mean of the batch's harmful states in it:

    L = alpha * ReLU(d(h_b, h_b') - d(h_b', c') + m_b) + beta * ReLU(d(h_h', c') - d(h_h', h_h) + m_h) + gamma * KL

Defaults: weights 0.5, 0.4 and 0.9 are the paper's (appendix A.3, as TamperBench quotes it); cosine
distance with margins 0.3 and 0.5 are TamperBench's. The paper's margins, 500 and 1500, are for a
distance that has a scale; with it the person who ported it to TamperBench got gibberish (its pull
request 50). The recipe is that of `repnoise` here; the paper's is a LoRA of rank 16, 1100 steps of
16 at 1e-5, blocks 20 to 31 of 32.

Divergences: no adversarial hard negatives (nor in TamperBench); the release's script differs from
the paper (0.5, 0.6, 0.7, margins 2 and 3, of which the second is never met: cosine distances end at
2). An answer counts as much as any other, not a token; the KL is at temperature 1, not 2, and a
mean over tokens, not a sum.
"""

import dataclasses
from collections.abc import Iterator
from typing import Annotated, Any, Literal

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
from holdfast.training.terms.answers import answer_divergence
from holdfast.training.terms.representations import beside

Weight = Annotated[float, Field(ge=0)]


@config
class Triplet:
    """The triplet loss of arXiv 2506.11938."""

    benign_weight: Weight = 0.5
    """Alpha: weight of keeping refusals and harmless answers where they were, and off the harmful mean."""
    harmful_weight: Annotated[float, Field(gt=0)] = 0.4
    """Beta: weight of gathering harmful answers at their mean, and off where they were."""
    divergence_weight: Weight = 0.9
    """Gamma: weight of KL(starting model || model) on harmless exchanges."""
    benign_margin: Weight = 0.3
    """How much nearer to where it was than to the harmful mean a benign state has to be."""
    harmful_margin: Weight = 0.5
    """How much nearer to the harmful mean than to where it was a harmful state has to be."""
    distance: Literal["cosine", "mixed"] = "cosine"
    """1 - cosine, or the release's `mix`: Euclidean distance + 10 (1 - ReLU(cosine))."""
    layers: tuple[int, ...] | None = None
    """Blocks that are compared, counted from 0; none given means all."""
    training: Recipe = Recipe(steps=100, learning_rate=3e-4, batch_size=32, schedule="cosine", freeze_embeddings=True)
    """How long and how it trains."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Pairs, with harmless exchanges beside them."""
        return paired(view, seed)

    def start(self, model: Model, view: View, seed: int) -> "_Gathering":
        """The method beside the model as it is now."""
        return _Gathering(self, frozen(model.network))


@dataclasses.dataclass(frozen=True)
class _Gathering:
    how: Triplet
    reference: Any

    def loss(self, model: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """The terms `harmful`, `refusal`, `retain` and `divergence`, each with its weight."""
        how, apart = self.how, self._apart
        harmful = beside(model, self.reference, batch["harmful"], how.layers)
        centre = harmful.centre()
        gap = apart(harmful.now, centre) - apart(harmful.now, harmful.before)
        terms = {"harmful": how.harmful_weight * harmful.mean(functional.relu(gap + how.harmful_margin))}
        benign = [role for role in ("refusal", "retain") if role in batch and how.benign_weight]
        for role in benign:
            kept = beside(model, self.reference, batch[role], how.layers, lead=True)
            gap = apart(kept.now, kept.before) - apart(kept.now, centre)
            hinge = kept.mean(functional.relu(gap + how.benign_margin))
            terms[role] = how.benign_weight / len(benign) * hinge
        if "retain" in batch and how.divergence_weight:
            terms["divergence"] = how.divergence_weight * answer_divergence(model, self.reference, batch["retain"])
        return terms

    def _apart(self, x: Tensor, y: Tensor) -> Tensor:
        """Distances of states [L, N, H] to others, or to one a block [L, 1, H]: [L, N]."""
        cosine = functional.cosine_similarity(x, y, dim=-1)
        if self.how.distance == "cosine":
            return 1 - cosine
        return torch.linalg.vector_norm(x - y, dim=-1) + 10 * (1 - functional.relu(cosine))
