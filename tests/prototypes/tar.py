"""TAR: train the weights from which an attacker does not get far.

Paper: Tamirisa et al. 2024, "Tamper-Resistant Safeguards", arXiv 2408.00761, Algorithm 1: an
attacker takes K steps; along them the gradient of a tamper-resistance loss is gathered at the
attacked weights (first order), weighted exp(lambda (i - (K - 1))), and added to that of a retain
loss at the weights themselves.

Defaults: lambda_TR 4, lambda 0.0625 and a look every 4 inner steps as released; K is 64 there, 4 here.

Divergences: no random mapping before, and no ||h - h_G0||^2 in the retain loss: it would need the
model as it was at the start.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.interfaces import Exchange, Progress, Row, View
from holdfast.models.anatomy import anatomy
from holdfast.models.states import forward
from holdfast.training import inner
from holdfast.training.batches import Batch, Tokens
from holdfast.training.losses import cross_entropy, targets
from holdfast.training.recipe import Recipe
from holdfast.training.rows import cycle, paired


@config
class Tar:
    """Tampering attack resistance, arXiv 2408.00761, first order."""

    inner_steps: Annotated[int, Field(ge=1)] = 4
    """K: AdamW steps of the attacker."""
    look_every: Annotated[int, Field(ge=1)] = 2
    """Inner steps between two looks at the tamper-resistance loss."""
    inner_learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    """The attacker's."""
    resistance_weight: Annotated[float, Field(ge=0)] = 4.0
    """lambda_TR."""
    growth: Annotated[float, Field(ge=0)] = 0.0625
    """lambda: how much more a later look counts."""
    training: Recipe = Recipe(steps=2, learning_rate=3e-4, batch_size=4)
    """How long and how it trains."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """One exchange for every inner step, one held out from them, and a pair's refusal to retain."""
        harmful = cycle(view.pairs, seed + 2)
        for row in paired(view, seed):
            roles = [*(f"attack-{step}" for step in range(self.inner_steps)), "held_out"]
            drawn = zip(roles, itertools.islice(harmful, len(roles)), strict=True)
            attack = {role: Exchange(key=pair.key, prompt=pair.prompt, answer=pair.harmful) for role, pair in drawn}
            yield {"refusal": row["refusal"], **attack}

    def gradient(self, model: Any, batch: Batch, progress: Progress) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """grad L_retain + lambda_TR sum_i exp(lambda (i - (K - 1))) grad L_TR(w_i)."""
        retain = _cross_entropy(model, batch["refusal"])
        total = inner.gradient(model, retain)
        resistance = torch.zeros(())
        attacks = [batch[f"attack-{step}"] for step in range(self.inner_steps)]
        with inner.elsewhere(model):
            steps = inner.descend(
                model, attacks, lambda tokens: _cross_entropy(model, tokens), learning_rate=self.inner_learning_rate
            )
            for number in steps:
                if number % self.look_every == 0:
                    weight = self.resistance_weight * math.exp(self.growth * (number - 1 - (self.inner_steps - 1)))
                    resistance = weight * _negative_entropy(model, batch["held_out"])
                    looked = inner.gradient(model, resistance)
                    total = {name: part + looked[name] for name, part in total.items()}
        return {"retain": retain.detach(), "resistance": resistance.detach()}, total


def _cross_entropy(model: Any, tokens: Tokens) -> Tensor:
    parts = anatomy(model)
    return cross_entropy(parts, forward(parts, tokens.input_ids, tokens.attention_mask).final, targets(tokens))


def _negative_entropy(model: Any, tokens: Tokens) -> Tensor:
    parts, wanted = anatomy(model), targets(tokens)
    states = forward(parts, tokens.input_ids, tokens.attention_mask).final[wanted.at]
    log_p = parts.head(states).float().log_softmax(-1)
    return ((log_p.exp() * log_p).sum(-1) * wanted.weights).sum()
