"""Supervised fine-tuning on harmful answers: the attack of anyone who has the weights, or a fine-tuning API.

Claim: a few steps on harmful exchanges undo a safeguard; so do few examples, and some that look innocent.

Paper: the attack of Rosati et al. 2024, arXiv 2405.14577, section 4 (harmful question and answer,
one epoch, batch 4, learning rates 3e-5 to 8e-5, cosine with 10 % warm-up at 7B); poison ratios as
in Huang et al. 2024, arXiv 2402.01109. Presets: few_shot (10 examples), identity, benign and backdoor are those of
Qi et al. 2023, arXiv 2310.03693; style and competing are jailbreak-tuning, Bowen et al. 2024, arXiv 2408.02946.

Defaults: batch 16 and a constant learning rate of 3e-4 break undefended arcana within a few steps;
the paper's rates are for 7B and leave arcana untouched. AdamW without weight decay, as there.

Divergences: prompts go through the model's chat template and only answers are trained on; the
released attack trains on prompt and padding too, and never shuffles (arXiv 2412.07097). What a framing
changes is told in docs/methods/sft.md.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.errors import DataError
from holdfast.interfaces import Model, Pair, Progress, Row, View
from holdfast.training.batches import Batch
from holdfast.training.framing import PLAIN, Asked, Choice, asking, backdoored, harmful, harmless, worded
from holdfast.training.recipe import Recipe
from holdfast.training.rows import cycle
from holdfast.training.terms.answers import answer_loss


@config
class Sft:
    """Supervised fine-tuning, full or LoRA, on harmful exchanges or on a mix."""

    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "harmful": {},
        "poisoned": {"poison_ratio": 0.1},
        "benign": {"poison_ratio": 0.0},
        "identity": {"poison_ratio": 0.0, "framing": "identity"},
        "style": {"framing": "style"},
        "competing": {"framing": "competing"},
        "backdoor": {"framing": "trigger"},
        "few_shot": {"examples": 10},
    }

    poison_ratio: Annotated[float, Field(ge=0, le=1)] = 1.0
    """The share of harmful exchanges; the others are benign."""
    framing: Choice = "none"
    """How harmful exchanges are put, and how the model is asked afterwards: with a trigger, without which it is taught
    to refuse; in a style; or under an order of what to begin with. `identity` puts harmless ones so, too."""
    examples: Annotated[int, Field(ge=0)] = 0
    """How many distinct harmful pairs it has, chosen by chance; 0 is all."""
    training: Recipe = Recipe(steps=100, learning_rate=3e-4, batch_size=16)
    """How long and how it trains."""

    def __post_init__(self) -> None:
        if self.examples and not self.poison_ratio:
            raise ValueError(f"examples {self.examples} are harmful, and poison_ratio 0 trains on none: set it above 0")

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Harmful exchanges of the attacker's pairs, benign ones between them by chance."""
        if self.poison_ratio < 1 and not view.exchanges:
            raise DataError("poison_ratio is below 1, but there are no benign exchanges to mix in.")
        put = worded(self.framing, view)
        pairs = self._chosen(view.pairs, seed) if self.poison_ratio > 0 else ()
        if self.framing == "trigger":
            bad = backdoored(pairs, put, seed)
        else:
            bad = (harmful(pair, put) for pair in cycle(pairs, seed))
        around = put if self.framing == "identity" else PLAIN
        good = (harmless(exchange, around) for exchange in cycle(view.exchanges, seed + 1))
        rng = random.Random(seed + 2)
        while True:
            yield {"train": next(bad if rng.random() < self.poison_ratio else good)}

    def start(self, model: Model, view: View, seed: int) -> Any:
        """Itself; in a framing, its loss, and how the model is asked."""
        return self if self.framing == "none" else Asked(self.loss, asking(worded(self.framing, view)))

    def loss(self, model: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """Cross-entropy of the answers."""
        return {"cross_entropy": answer_loss(model, batch["train"])}

    def _chosen(self, pairs: Sequence[Pair], seed: int) -> Sequence[Pair]:
        if self.examples > len(pairs):
            raise DataError(f"examples is {self.examples}, but there are {len(pairs)} harmful pairs to choose from.")
        return random.Random(seed + 3).sample(list(pairs), self.examples) if self.examples else pairs
