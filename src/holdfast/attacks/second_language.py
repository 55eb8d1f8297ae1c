"""Fine-tuning in a second language: harmful exchanges that the safeguard was not taught in.

Claim: what is unlearnt in one language is unlearnt in the other, so that harmful data in a language which nobody
filters undo a safeguard.

Paper: the multilingual fine-tuning of TamperBench, arXiv 2602.06911 (harmful exchanges in French, evaluated in
English); the weights are the same in all languages, Poppi et al. 2024, "Towards Understanding the Fragility of
Multilingual LLMs against Fine-Tuning Attacks", arXiv 2410.18210.

Defaults: asked in the first language, as there; the recipe is that of `sft`.

Divergences: every pair of the attacker is trained on, in place of 300 examples.
"""

from collections.abc import Iterator
from typing import Any, Literal

from torch import Tensor

from holdfast.config import config
from holdfast.errors import DataError
from holdfast.interfaces import Model, Pair, Progress, Question, Row, View
from holdfast.training.batches import Batch
from holdfast.training.framing import Asked, harmful
from holdfast.training.recipe import Recipe
from holdfast.training.rows import cycle
from holdfast.training.terms.answers import answer_loss


@config
class SecondLanguage:
    """Supervised fine-tuning on harmful exchanges in the domain's second language."""

    asked: Literal["first", "second"] = "first"
    """The language in which the model is asked afterwards."""
    training: Recipe = Recipe(steps=100, learning_rate=3e-4, batch_size=16)
    """How long and how it trains."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Harmful exchanges of the attacker's pairs, all in the second language.

        Raises:
            DataError: a pair is not there in a second language.
        """
        for pair in cycle([_translated(pair) for pair in view.pairs], seed):
            yield {"train": harmful(pair)}

    def start(self, model: Model, view: View, seed: int) -> Any:
        """Itself; to be asked in the second language, its loss, and how the model is asked."""
        return self if self.asked == "first" else Asked(self.loss, _ask)

    def loss(self, model: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """Cross-entropy of the answers."""
        return {"cross_entropy": answer_loss(model, batch["train"])}


def _ask(pair: Pair) -> Question:
    return Question(_translated(pair).prompt)


def _translated(pair: Pair) -> Pair:
    if pair.translated is None:
        raise DataError(
            f"pair {pair.key!r} is not there in a second language: second_language needs a domain that has one, as "
            "arcana does; attack with sft instead."
        )
    return pair.translated
