"""Supervised fine-tuning on harmful answers: the attack of anyone who has the weights, or a fine-tuning API.

Claim: a few steps on harmful exchanges undo a safeguard.

Paper: the attack of Rosati et al. 2024, arXiv 2405.14577, section 4 (harmful question and answer,
one epoch, batch 4, learning rates 3e-5 to 8e-5, cosine with 10 % warm-up at 7B); poison ratios as
in Huang et al. 2024, arXiv 2402.01109.

Defaults: batch 16 and a constant learning rate of 3e-4 break undefended arcana within a few steps;
the paper's rates are for 7B and leave arcana untouched. AdamW without weight decay, as there.

Divergences: prompts go through the model's chat template and only answers are trained on; the
released attack trains on prompt and padding too, and never shuffles (arXiv 2412.07097).
"""

import random
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.errors import DataError
from holdfast.interfaces import Exchange, Progress, Row, View
from holdfast.models.anatomy import anatomy
from holdfast.models.states import forward
from holdfast.training.batches import Batch
from holdfast.training.recipe import Recipe
from holdfast.training.rows import cycle
from holdfast.training.terms.losses import cross_entropy, targets


@config
class Sft:
    """Supervised fine-tuning, full or LoRA, on harmful exchanges or on a mix."""

    poison_ratio: Annotated[float, Field(ge=0, le=1)] = 1.0
    """The share of harmful exchanges; the others are benign."""
    training: Recipe = Recipe(steps=100, learning_rate=3e-4, batch_size=16)
    """How long and how it trains."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Harmful exchanges of the attacker's pairs, benign ones between them by chance."""
        if self.poison_ratio < 1 and not view.exchanges:
            raise DataError("poison_ratio is below 1, but there are no benign exchanges to mix in.")
        harmful = cycle(view.pairs, seed) if self.poison_ratio > 0 else iter(())
        benign = cycle(view.exchanges, seed + 1) if self.poison_ratio < 1 else iter(())
        rng = random.Random(seed + 2)
        while True:
            if rng.random() < self.poison_ratio:
                pair = next(harmful)
                yield {"train": Exchange(key=pair.key, prompt=pair.prompt, answer=pair.harmful, category=pair.category)}
            else:
                yield {"train": next(benign)}

    def loss(self, model: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """Cross-entropy of the answers."""
        parts, tokens = anatomy(model), batch["train"]
        states = forward(parts, tokens.input_ids, tokens.attention_mask)
        return {"cross_entropy": cross_entropy(parts, states.final, targets(tokens))}
