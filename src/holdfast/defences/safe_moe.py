"""SafeMoE: keep sending harmful questions to the experts that refuse them, whatever a user trains.

Claim: a mixture of experts refuses because its routers send harmful questions to a few experts that
refuse, and loses its refusals as fine-tuning makes that routing drift.

Paper: Kim et al. 2025, "SafeMoE: Safe Fine-Tuning for MoE LLMs by Aligning Harmful Input Routing"
(at first "Defending MoE LLMs against Harmful Fine-Tuning via Safety Routing Alignment"), arXiv
2509.22745 (ICLR 2026):

    min_w L_user(w) + L_reg(w),
    L_reg(w) = E_x E_l KL(softmax(r_l(x | w_start) / tau) || softmax(r_l(x | w) / tau)),

x a harmful question without an answer, r_l(x | w) the logits of block l's router at its last token.
Read from notes on the paper and from its code, the paper itself only in part.

Defaults: `temperature` 0.1 and the last token are the released script's (jaehanwork/SafeMoE); the
paper's `weight` is 1, which is next to nothing on arcana-moe: 100 is ours.

Divergences: the paper takes the two losses in turn, for cheapness: after every epoch of the user's,
one pass over 100 harmful questions, L_reg alone, by the same optimiser. Here they are added at each
step, as the objective has them, because an attack on arcana-moe is over within two steps;
`user_steps` takes turns, in place of the user's steps and not beside them. The released code sums
over layers (its "batchmean" divides by the batch alone), here as in the equation it is a mean.
`position="prompt"` is ours. Padding is on the right on both sides; the release reads the start's
routing with it on the left.
"""

import itertools
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import torch
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.interfaces import Model, Progress, Row, View
from holdfast.methods import Guard
from holdfast.models.anatomy import anatomy
from holdfast.models.frozen import frozen
from holdfast.models.routers import routing
from holdfast.training.batches import Batch, Tokens
from holdfast.training.guarding.penalty import Penalty
from holdfast.training.guarding.refusals import refusals


@config
class SafeMoe:
    """The routing of harmful questions, kept as it was, arXiv 2509.22745."""

    weight: Annotated[float, Field(ge=0)] = 100.0
    """Weight of L_reg beside the user's loss."""
    temperature: Annotated[float, Field(gt=0)] = 0.1
    """tau: router logits are divided by it; the lower, the more the most likely expert alone counts."""
    position: Literal["last", "prompt"] = "last"
    """Where routing is kept: at the token that the answer begins from, or at every token before the answer."""
    user_steps: Annotated[int, Field(ge=0)] = 0
    """0 adds L_reg to each step; K makes every step after K of the user's one on L_reg alone."""
    batch_size: Annotated[int, Field(ge=1)] = 16
    """Harmful questions a micro-batch."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Harmful questions; the refusals after them are not looked at."""
        return refusals(view, seed)

    def guard(self, model: Model, view: View, seed: int) -> Guard:
        """Reads the routing of every harmful question now, and holds the user's training to it.

        Raises:
            ModelError: the model is not a mixture of experts.
        """
        start = self._start(model, view)

        def terms(network: Any, batch: Batch) -> dict[str, Tensor]:
            return {"routing": self.weight * self._drift(network, start, batch["refusal"])} if self.weight else {}

        penalty = Penalty(model, self.rows(view, seed), self.batch_size, terms)
        return _Turns(penalty, self.user_steps) if self.user_steps else penalty

    def _start(self, model: Model, view: View) -> dict[int, Float[Tensor, "T L E"]]:
        """The routing of each question as it is now, by the question's key."""
        from holdfast.training.feed import feed  # it imports transformers, which a look-up of settings must not

        network, found = frozen(model.network), {}
        for batch in feed(model, itertools.islice(self.rows(view, 0), len(view.pairs)), self.batch_size):
            tokens = batch["refusal"]
            asked = questions(tokens, self.position)
            with torch.no_grad():
                read = _logits(network, tokens, asked).split(asked.sum(1).tolist())
            found |= dict(zip(tokens.keys.tolist(), read, strict=True))
        return found

    def _drift(self, network: Any, start: dict[int, Tensor], tokens: Tokens) -> Float[Tensor, ""]:
        """L_reg of a batch: a mean over questions of means over their tokens, and over layers."""
        asked = questions(tokens, self.position)
        now = _logits(network, tokens, asked)
        before = torch.cat([start[key] for key in tokens.keys.tolist()]).to(now.device)
        weights = (asked / (asked.sum(1, keepdim=True) * len(asked)))[asked]
        return (drift(before / self.temperature, now / self.temperature).mean(1) * weights).sum()


class _Turns:
    """A penalty that has steps of its own, one after so many of the user's."""

    def __init__(self, penalty: Penalty, user_steps: int):
        self._penalty = penalty
        self._user_steps = user_steps

    def replace_step(self, model: Any, progress: Progress) -> Any:
        """Nothing on the user's steps."""
        own = progress.step % (self._user_steps + 1) == self._user_steps
        return (self._penalty.penalty(model) or None) if own else None


def drift(before: Float[Tensor, "N L E"], now: Float[Tensor, "N L E"]) -> Float[Tensor, "N L"]:
    """KL(softmax(before) || softmax(now)) over the experts, in nats."""
    old = before.log_softmax(-1)
    return (old.exp() * (old - now.log_softmax(-1))).sum(-1)


def questions(tokens: Tokens, position: Literal["last", "prompt"]) -> Bool[Tensor, "B S"]:
    """The tokens before each answer, or the last of them; at least one a row, since a chat precedes the answer."""
    asked = tokens.attention_mask.bool() & ~tokens.answer_mask.cumsum(1).bool()
    return asked if position == "prompt" else asked & ~asked.roll(-1, dims=1)


def _logits(network: Any, tokens: Tokens, at: Bool[Tensor, "B S"]) -> Float[Tensor, "N L E"]:
    """Every router's logits at N tokens, in float32."""
    read = routing(anatomy(network), tokens.input_ids, tokens.attention_mask)
    return torch.stack([one[at].float() for one in read], dim=1)
