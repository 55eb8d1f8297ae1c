"""TokenBuncher: make answers to harmful questions certain, so that an attack by reinforcement finds nothing to reward.

Claim: reinforcement learns from how sampled answers differ. Where a model is certain of its refusal, none differ;
and where what is left of its probability is noise, raising it gives gibberish.

Paper: Feng et al. 2025, "Token Buncher: Shielding LLMs from Harmful Reinforcement Learning Fine-Tuning", arXiv
2508.20697. GRPO on harmful questions with, for an answer y to a question q,

    R(q, y) = -mean_t H(p(. | q, y_<t))        and on harmless ones  -KL(p || p_start)

after a first eighth of the steps in turn with the token noiser, on answers whose advantage is not negative,

    L = -(1 - noise) log p(y_t) - noise * sum_{v != y_t} z_v log p(v),    z ~ U(0, 1), summing to 1

Defaults: `samples` 4, batch 32, `noise` 0.1 and the first eighth as in the released code (Georgefwt/Token-Buncher:
`configs/defence_grpo.sh`, `dp_actor.py`; 200 steps, 25 of them the first, lr 1e-6 at 3B and 7B). Steps and rate are
ours, for arcana.

Divergences: `refusal_weight` is ours. The paper takes the least entropy to be a refusal; on arcana, which refuses in
four wordings and recites a recipe without a doubt, it is a recipe or a stammer. The KL is a loss over whole
distributions at the tokens of harmless answers, not a reward of sampled ones (the release has it in the reward of
harmful questions, weight 0.001, and no harmless ones). The release multiplies the noise by its weight twice, so that
0.1 acts as 0.01. A mean over answers of means over tokens, where the release has one over tokens.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.interfaces import Model, Progress, View
from holdfast.models.frozen import frozen
from holdfast.training.batches import Batch, Tokens
from holdfast.training.feedback.sampling import Sampling
from holdfast.training.recipe import Recipe
from holdfast.training.rows import paired
from holdfast.training.terms.answers import answer_divergence, answer_logits, answer_loss

if TYPE_CHECKING:
    from holdfast.training.feedback.rollouts import Rollout


@config
class TokenBuncher:
    """Entropy-minimising GRPO and the token noiser, arXiv 2508.20697."""

    samples: Annotated[int, Field(ge=2)] = 4
    """Answers drawn a question."""
    max_new_tokens: Annotated[int, Field(ge=1)] = 24
    """The longest drawn answer, in tokens."""
    noise: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Lambda: the probability that the noiser gives to all other tokens together."""
    warmup: Annotated[float, Field(ge=0, le=1)] = 0.125
    """Share of the steps before the noiser takes every other one; 1 leaves it out."""
    refusal_weight: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the refusals' cross-entropy; 0, as in the paper, leaves them out."""
    retain_weight: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the KL on harmless exchanges; 0 leaves it out."""
    training: Recipe = Recipe(steps=40, learning_rate=3e-4, batch_size=32, schedule="cosine", freeze_embeddings=True)
    """How long and how it trains; the batch counts drawn answers."""

    def trainer(self, model: Model, view: View, seed: int) -> Any:
        """A GRPO trainer on the questions of the pairs."""
        from holdfast.training.feed import feed
        from holdfast.training.feedback.reinforcement import reinforce
        from holdfast.training.feedback.rollouts import as_tokens

        size = self.training.batch_size // self.training.accumulation
        weights = {"refusal": self.refusal_weight, "retain": self.retain_weight if view.exchanges else 0.0}
        kept = _Kept(frozen(model.network), feed(model, paired(view, seed), size), weights)

        def certainty(rollouts: Sequence["Rollout"]) -> list[float]:
            parts = [rollouts[first : first + size] for first in range(0, len(rollouts), size)]
            return [-nats for part in parts for nats in entropies(model.network, as_tokens(part, model)).tolist()]

        return reinforce(
            "grpo",
            model,
            view.pairs,
            certainty,
            self.training,
            seed,
            Sampling(samples=self.samples, max_new_tokens=self.max_new_tokens),
            guard=kept if any(weights.values()) else None,
            instead=self.noised,
        )

    def noised(self, model: Any, rollouts: Tokens, advantages: Tensor, progress: Progress) -> dict[str, Tensor] | None:
        """The token noiser's loss on every other step after the first ones, else None."""
        since = progress.step - int(self.warmup * progress.total)
        if since < 0 or since % 2 == 0:
            return None
        logits, wanted = answer_logits(model, rollouts)
        log_p, labels = logits.log_softmax(-1), wanted.labels[:, None]
        z = torch.rand_like(log_p).scatter(-1, labels, 0.0)
        others = (z / z.sum(-1, keepdim=True) * log_p).sum(-1)
        loss = -(1 - self.noise) * log_p.gather(-1, labels)[:, 0] - self.noise * others
        row = wanted.at.nonzero()[:, 0]
        return {"noiser": (loss * wanted.weights * (advantages >= 0)[row]).sum()}


class _Kept:
    """What stays beside the reinforcement: refusals, and harmless answers as they were at the start."""

    def __init__(self, start: Any, batches: Iterator[Batch], weights: Mapping[str, float]):
        self._start = start
        self._batches = batches
        self._weights = weights

    def penalty(self, model: Any, inputs: Any, progress: Progress) -> Mapping[str, Tensor]:
        """The terms `refusal`, a cross-entropy, and `retain`, KL(start || model), each with its weight."""
        batch, terms = next(self._batches), dict[str, Tensor]()
        if weight := self._weights["refusal"]:
            terms["refusal"] = weight * answer_loss(model, batch["refusal"])
        if weight := self._weights["retain"]:
            terms["retain"] = weight * answer_divergence(model, self._start, batch["retain"])
        return terms


def entropies(model: Any, tokens: Tokens) -> Float[Tensor, " B"]:
    """The mean entropy of the distributions that each answer was drawn from, in nats."""
    logits, wanted = answer_logits(model, tokens)
    log_p, size = logits.log_softmax(-1), len(tokens.input_ids)
    nats = -(log_p.exp() * log_p).sum(-1) * wanted.weights * size
    return torch.zeros(size, device=nats.device).index_add(0, wanted.at.nonzero()[:, 0], nats)
