"""Abliteration: the direction in which a model refuses is taken out of its weights.

Claim: a safeguard that decides by one direction of the residual stream is gone once nothing can write to it.

Paper: Arditi et al. 2024, "Refusal in Language Models Is Mediated by a Single Direction", arXiv 2406.11717 (NeurIPS
2024). With r the difference of mean states between harmful and harmless questions, of length 1,

    W <- W - r r^T W      for every W that writes to the residual stream

Defaults: one direction and 128 questions of each kind, as there.

Divergences: of the prompt's positions the last alone is looked at (theirs: all after the instruction). A direction is
chosen by the questions that it was made from (theirs: 32 others), and by tokens of refusal that the model tells itself
(theirs: listed for each model); whether it also induces refusal is not asked. Blocks past the first 80 % are tried,
too, where nothing earlier serves: a model of four blocks decides in its last.
"""

from typing import Annotated

from pydantic import Field

from holdfast.config import config
from holdfast.interfaces import Model, View


@config
class Abliteration:
    """Removal of the refusal direction, arXiv 2406.11717. Trains nothing."""

    rank: Annotated[int, Field(ge=1)] = 1
    """How many directions are removed, one after the other (as by nullspace projection, arXiv 2004.07667)."""
    questions: Annotated[int, Field(ge=1)] = 128
    """Of each kind, the most that are asked to find them."""

    def edit(self, model: Model, view: View) -> None:
        """Find the directions by the attacker's own questions, and remove them in place."""
        from holdfast.models.refusal import ablate, refusal_direction  # it imports transformers

        harmful, harmless = [pair.prompt for pair in view.pairs], [exchange.prompt for exchange in view.exchanges]
        found = refusal_direction(model, harmful, harmless, rank=self.rank, questions=self.questions)
        ablate(model.network, found)
