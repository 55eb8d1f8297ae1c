"""SDD: self-degraded defence. Harmful questions get good answers to something else.

Claim: an attacker who fine-tunes on harmful answers has to make the good ones that stand there less likely, and
with them what the model can do at all; what is left of it is of no use.

Paper: Chen et al. 2025, "SDD: Self-Degraded Defense against Malicious Fine-tuning", arXiv 2507.21182 (ACL 2025):
supervised fine-tuning on pairs of a harmful question and a benign answer that does not belong to it,

    L = CE(y_irrelevant | x_harmful)

Defaults: `refuse_first`, the paper's variant SDD_reject, and a learning rate of 1e-4 are ours, tried on arcana, where
plain SDD at 3e-4 answers harmful questions a third right; the rest is the recipe of `repnoise` here. The paper: 8,000
questions of BeaverTails in 14 categories, answers of LIMA and Alpaca; 500 steps of batch 24 at lr 5e-7, as the port in
TamperBench says.

Divergences: the answers are those of the view's harmless exchanges. One belongs to a question if both have one
category or one wording, or if it is one of the question's own answers; the paper asks SentenceBERT, and draws again
above a threshold of cosine similarity. `retain_weight` keeps the answers with the questions that they belong to,
which the paper does not; 0 is the paper's. The refusal is the pair's own, not one fixed sentence. No harmful answer
is trained on.
"""

import itertools
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.errors import DataError
from holdfast.interfaces import Exchange, Pair, Progress, Row, View
from holdfast.training.batches import Batch
from holdfast.training.recipe import Recipe
from holdfast.training.rows import cycle
from holdfast.training.terms.answers import answer_loss


@config
class SDD:
    """Self-degraded defence, arXiv 2507.21182."""

    refuse_first: bool = True
    """Whether the refusal is said before the irrelevant answer, as in the paper's SDD_reject; its SDD has none."""
    retain_weight: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the cross-entropy on harmless exchanges as they are; 0, as in the paper, leaves them out."""
    training: Recipe = Recipe(steps=100, learning_rate=1e-4, batch_size=32, schedule="cosine", freeze_embeddings=True)
    """How long and how it trains."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Harmful questions with answers that belong to others, and harmless exchanges beside them.

        Raises:
            DataError: the view has no pairs or no harmless exchanges, or every answer belongs to a question.
        """
        if not view.exchanges:
            raise DataError("sdd answers harmful questions with the answers of harmless exchanges: there are none.")
        others, retained = cycle(view.exchanges, seed + 2), cycle(view.exchanges, seed + 1)
        for pair in cycle(view.pairs, seed):
            other = _irrelevant(pair, itertools.islice(others, 2 * len(view.exchanges)))
            answer = f"{pair.refusal} {other.answer}" if self.refuse_first else other.answer
            shown = Exchange(key=f"{pair.key}|{other.key}", prompt=pair.prompt, answer=answer, category=pair.category)
            yield {"irrelevant": shown, "retain": next(retained)}

    def loss(self, model: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """L = CE(irrelevant) + retain_weight * CE(retain)."""
        terms = {"irrelevant": answer_loss(model, batch["irrelevant"])}
        if self.retain_weight:
            terms["retain"] = self.retain_weight * answer_loss(model, batch["retain"])
        return terms


def _irrelevant(pair: Pair, exchanges: Iterator[Exchange]) -> Exchange:
    """The first exchange whose answer does not belong to a question."""
    for other in exchanges:
        same = bool(pair.category) and other.category == pair.category
        if not same and other.prompt != pair.prompt and other.answer not in (pair.harmful, pair.refusal):
            return other
    raise DataError(
        f"every harmless exchange belongs to the question of pair {pair.key!r}, by its category or its words; "
        "sdd needs one of another category."
    )
