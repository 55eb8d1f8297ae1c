"""KL to the start: keep what the model says where the defender cares, whatever else it learns.

Claim: a fine-tuned model whose distributions on chosen texts stay those of the aligned model keeps
its refusals and its skills.

Paper: Kaczer et al. 2025, "In-Training Defenses against Emergent Misalignment in Language Models",
arXiv 2508.06249, its first intervention, a KL to the safe reference model beside the user's loss; on
chosen texts it is the distillation of Li and Hoiem 2016, "Learning without Forgetting", arXiv
1606.09282:

    L = L_user + lambda_refusal KL(pi_start || pi) on refusals
               + lambda_retain  KL(pi_start || pi) on harmless exchanges,

each a mean over exchanges of means over the answer's tokens, and over the whole vocabulary.

Defaults: both weights are ours, on arcana, where 1 gives no delay and 10 does; the coefficients of
arXiv 2508.06249 could not be read.

Divergences: arXiv 2508.06249, by a summary of it, takes the KL on the user's own rows, which hinders
learning the harmless ones too; here it is on the defender's texts, so that a task can still be learnt. The KL of
RLHF (arXiv 1909.08593) is the other way about, KL(pi || pi_start), on the policy's own samples.
Costs a frozen copy of the network.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.interfaces import Model, Row, View
from holdfast.models.frozen import frozen
from holdfast.training.batches import Batch
from holdfast.training.guarding.penalty import Penalty
from holdfast.training.guarding.refusals import refusals
from holdfast.training.terms.answers import answer_divergence


@config
class Kl:
    """KL to the start on refusals and retained exchanges, arXiv 2508.06249 and 1606.09282."""

    refusal_weight: Annotated[float, Field(ge=0)] = 10.0
    """Weight of the KL on refusals of harmful questions, a nat a token."""
    retain_weight: Annotated[float, Field(ge=0)] = 10.0
    """Weight of the KL on harmless exchanges; 0, or a view without any, leaves them out."""
    batch_size: Annotated[int, Field(ge=1)] = 16
    """Refusals a micro-batch, and as many harmless exchanges."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Refusals, with harmless exchanges beside them."""
        return refusals(view, seed, retain=self.retain_weight > 0)

    def guard(self, model: Model, view: View, seed: int) -> Penalty:
        """Adds both divergences from the model as it is now to the loss of the user's trainer."""
        start = frozen(model.network)
        weights = {"refusal": self.refusal_weight, "retain": self.retain_weight}

        def terms(network: Any, batch: Batch) -> dict[str, Tensor]:
            reference = start.to(next(network.parameters()).device)  # the trainer may have moved the network since
            return {
                f"{role}_kl": weights[role] * answer_divergence(network, reference, tokens)
                for role, tokens in batch.items()
                if weights[role]
            }

        return Penalty(model, self.rows(view, seed), self.batch_size, terms)
