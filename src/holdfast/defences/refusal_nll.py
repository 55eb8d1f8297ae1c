"""Refusal NLL: a price on every nat by which refusals to harmful questions become less likely.

Claim: a user's reward, or loss, that is optimised under the constraint that refusals stay likely
does not lead to harmful answers.

Paper: Rosati et al. 2024, "Defending against Reverse Preference Attacks is Difficult", arXiv
2409.12914 (later "Evaluating Defences against Unsafe Feedback in RLHF"), its explicit defence by the
negative log-likelihood of refusals, seen as a constrained Markov decision process whose Lagrangian is

    L = L_user - lambda * mean_x log pi(refusal | x),   x a harmful question.

Defaults: `weight` 1 is ours; the paper's lambda and its table of results could not be read.

Divergences: the questions are the defender's, not those of the user's own batch, since a trainer's
inputs do not say which of them are harmful. The multiplier is a constant; the paper's variant in
which it is learned (Safe-RLHF) is not built.

Against `safety_mix`: the constraint is on an answer, the action of the decision process, so its
tokens' costs are summed and a long refusal weighs more; there rows weigh alike, as mixed rows do,
and the weight follows from a share. With refusals of one length n and weight w the two are equal at
s / (1 - s) = n w.
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
from holdfast.training.terms.answers import answer_costs


@config
class RefusalNll:
    """Refusals' negative log-likelihood as a penalty, arXiv 2409.12914."""

    weight: Annotated[float, Field(ge=0)] = 1.0
    """Lambda: the price of a nat of a refusal's negative log-likelihood; 0 is no defence."""
    batch_size: Annotated[int, Field(ge=1)] = 16
    """Harmful questions a micro-batch."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Refusals of harmful questions."""
        return refusals(view, seed)

    def guard(self, model: Model, view: View, seed: int) -> Penalty:
        """Adds lambda times the mean cost of a refusal to the loss of the user's trainer."""
        return Penalty(model, self.rows(view, seed), self.batch_size, self._terms)

    def _terms(self, network: Any, batch: Batch) -> dict[str, Tensor]:
        return {"refusal_nll": self.weight * answer_costs(network, batch["refusal"]).mean()} if self.weight else {}
