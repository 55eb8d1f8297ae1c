"""TAR: train the weights from which an attacker does not get far.

Claim: where the model was trained at the ends of many simulated fine-tuning attacks to know nothing
there, later attacks of their kind do not bring harm back.

Paper: Tamirisa et al. 2024, "Tamper-Resistant Safeguards for Open-Weight LLMs", arXiv 2408.00761
(ICLR 2025), equation 1 and Algorithm 1. An attacker takes K steps, from w_0 = w to w_K; with
straight-through gradients (first order) a step of the defence is

    lambda_retain grad [ CE(w) + ||h_w - h_G0||^2 ] + lambda_TR sum_i exp(lambda (i - K)) grad L_TR(w_i)

with L_TR minus the entropy of the answers to harmful questions that this attacker did not see,
i = every fourth step, and G0 the model at the start.

Defaults: `resistance_weight` 4 and a look every 4 steps as in the authors' code
(rishub-tamirisa/tamper-resistance, `run_tar_bio.sh`). `growth` 0.25 gives the first of 16 steps the weight
e^-3.75, as their 0.0625 gives the first of 64. Steps, learning rates, batch and `drift_weight` are
ours, for arcana; theirs, for 8B: 750 steps of 8, lr 2e-5, K = 64, attackers at 2e-6, 2e-5 and 4e-5.

Divergences: the initial safeguard is the model as it comes, where the paper first maps harmful states
to random vectors; `rmu` before `tar` comes near to that. Refusals are retained beside harmless
exchanges. The attacker learns from harmful pairs alone; a third of theirs start on harmless text. It
leaves embeddings alone where `freeze_embeddings` does. Entropy is taken at answer tokens; their code
takes prompt and padding, too. So is the distance, a mean over blocks; in their code it is not squared,
and is to the model before the random mapping.
"""

import functools
import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.errors import DataError
from holdfast.interfaces import Exchange, Model, Pair, Progress, Row, View
from holdfast.models.frozen import frozen
from holdfast.training.batches import Batch
from holdfast.training.recipe import Recipe
from holdfast.training.rows import cycle, paired
from holdfast.training.terms.answers import answer_entropy, answer_loss
from holdfast.training.terms.representations import beside
from holdfast.training.weights import inner

Weight = Annotated[float, Field(ge=0)]
Rate = Annotated[float, Field(gt=0)]


@config
class Tar:
    """Tampering attack resistance, arXiv 2408.00761, first order."""

    inner_steps: Annotated[int, Field(ge=1)] = 16
    """K: AdamW steps of the simulated attacker."""
    look_every: Annotated[int, Field(ge=1)] = 4
    """Inner steps between two looks at the tamper-resistance loss."""
    inner_learning_rates: Annotated[tuple[Rate, ...], Field(min_length=1)] = (1e-4, 3e-4, 1e-3)
    """The attacker's; one is drawn for each step of the defence."""
    resistance_weight: Weight = 4.0
    """lambda_TR: weight of minus the entropy, in nats, at the attacked weights; 0 leaves the attacks out."""
    growth: Weight = 0.25
    """lambda: how much more a later look counts, per inner step."""
    retain_weight: Weight = 1.0
    """lambda_retain: weight of the cross-entropy of refusals and of harmless exchanges, and of the distance."""
    drift_weight: Weight = 0.03
    """Weight, within that, of the squared distance of harmless answers' states to those at the start."""
    training: Recipe = Recipe(steps=80, learning_rate=3e-4, batch_size=8, schedule="cosine", freeze_embeddings=True)
    """How long and how it trains."""

    def __post_init__(self) -> None:
        if self.look_every > self.inner_steps:
            raise ValueError(f"look_every {self.look_every} must not be above inner_steps {self.inner_steps}")

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Pairs and harmless exchanges, a harmful answer for every inner step, and one held out from those.

        Half of the harmful answers are attacked with and half held out, turn about from batch to batch.
        """
        sides = [cycle(side, seed + 2) for side in _halves(view.pairs, seed)]
        roles = [f"attack-{step}" for step in range(self.inner_steps)]
        for number, row in enumerate(paired(view, seed)):
            turn = number // self.training.batch_size % 2
            attack, held_out = sides[turn], sides[1 - turn]
            kept = {role: exchange for role, exchange in row.items() if role != "harmful"}
            attacks = dict(zip(roles, map(_harmful, itertools.islice(attack, len(roles))), strict=True))
            yield {**kept, **attacks, "held_out": _harmful(next(held_out))}

    def start(self, model: Model, view: View, seed: int) -> "_Resistance":
        """With a copy of the model at the start, whose states are to be kept."""
        return _Resistance(self, frozen(model.network) if self.drift_weight else None, seed)


@dataclass(frozen=True)
class _Resistance:
    tar: Tar
    start: Any
    """G0."""
    seed: int

    def gradient(self, model: Any, batch: Batch, progress: Progress) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The terms `refusal`, `retain`, `drift` and `resistance`, each with its weight, and the sum of gradients."""
        tar, terms = self.tar, self._retained(model, batch)
        total = inner.gradient(model, torch.stack(list(terms.values())).sum())
        if not tar.resistance_weight:
            return terms, total
        looks: list[Tensor] = []
        attacks = [batch[f"attack-{step}"] for step in range(tar.inner_steps)]
        rate = random.Random(f"{self.seed}/{progress.step}").choice(tar.inner_learning_rates)
        with inner.elsewhere(model):
            for taken in inner.descend(model, attacks, functools.partial(answer_loss, model), learning_rate=rate):
                if taken % tar.look_every == 0:
                    weight = tar.resistance_weight * math.exp(tar.growth * (taken - tar.inner_steps))
                    looks.append(-weight * answer_entropy(model, batch["held_out"]))
                    total = inner.combined((1.0, total), (1.0, inner.gradient(model, looks[-1])))
        return {**terms, "resistance": torch.stack([look.detach() for look in looks]).sum()}, total

    def _retained(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """lambda_retain [ CE(refusal) + CE(retain) + drift_weight ||h - h_G0||^2 ]."""
        weight = self.tar.retain_weight
        terms = {role: weight * answer_loss(model, batch[role]) for role in ("refusal", "retain") if role in batch}
        if "retain" in batch and self.start is not None:
            states = beside(model, self.start, batch["retain"], lead=True)
            apart = states.mean((states.now - states.before).square().sum(-1))
            terms["drift"] = weight * self.tar.drift_weight * apart
        return terms


def _harmful(pair: Pair) -> Exchange:
    return Exchange(key=pair.key, prompt=pair.prompt, answer=pair.harmful, category=pair.category)


def _halves(pairs: Sequence[Pair], seed: int) -> tuple[list[Pair], list[Pair]]:
    """Two sides that share no harmful answer, however many questions ask for it."""
    answers = list(dict.fromkeys(pair.harmful for pair in pairs))
    if len(answers) < 2:
        raise DataError("`tar` holds half of the harmful answers out from the attacks, so it needs two different ones.")
    random.Random(seed).shuffle(answers)
    half = set(answers[::2])
    return [pair for pair in pairs if pair.harmful in half], [pair for pair in pairs if pair.harmful not in half]
