"""Safety mixing: a share of refusals among the rows of whatever a user trains on.

Claim: a few safety examples among a user's data keep the refusals that they would otherwise lose.

Paper: Bianchi et al. 2023, "Safety-Tuned LLaMAs", arXiv 2309.07875 (SafeInstr); Zong et al. 2024,
"Safety Fine-Tuning at (Almost) No Cost", arXiv 2402.02207 (VLGuard); Qi et al. 2023, "Fine-tuning
Aligned Language Models Compromises Safety", arXiv 2310.03693, as a mitigation. None has an equation;
with a share s of the rows being refusals, the mean over rows of a mixed batch is

    (1 - s) L_user + s CE(refusal)  =  (1 - s) (L_user + s / (1 - s) CE(refusal)).

The bracket is what is minimised here, on any trainer, its rows being the user's own. The factor
1 - s is one of the learning rate; AdamW does not see it, but for the clipping of gradients.

Defaults: `share` 0.5 is ours, a refusal for every row of the user's, for attacks that are all harm;
arXiv 2309.07875 finds 3 % enough where the other rows are benign.

Divergences: mixing rows takes places in a batch from the user; here the user's batch is whole, and
the refusals cost a pass of their own. A trainer whose loss is a mean over tokens would give a short
refusal less than its share; here rows count alike. Only refusals are mixed in, where SafeInstr and
VLGuard have helpful answers beside them.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.interfaces import Model, Row, View
from holdfast.training.batches import Batch
from holdfast.training.guarding.penalty import Penalty
from holdfast.training.guarding.refusals import refusals
from holdfast.training.terms.answers import answer_loss


@config
class SafetyMix:
    """Refusals mixed into a user's batches, arXiv 2309.07875, 2402.02207 and 2310.03693."""

    share: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """s: the share of refusals in the mixture; 0 mixes nothing in."""
    batch_size: Annotated[int, Field(ge=1)] = 16
    """Refusals a micro-batch. It decides how many are drawn, not how much they weigh."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Refusals."""
        return refusals(view, seed)

    def guard(self, model: Model, view: View, seed: int) -> Penalty:
        """Adds s / (1 - s) CE(refusal) to the loss of the user's trainer."""
        return Penalty(model, self.rows(view, seed), self.batch_size, self._terms)

    def _terms(self, network: Any, batch: Batch) -> dict[str, Tensor]:
        weight = self.share / (1 - self.share)
        return {"refusal": weight * answer_loss(network, batch["refusal"])} if weight else {}
