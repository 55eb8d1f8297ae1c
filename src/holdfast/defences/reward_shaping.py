r"""Reward shaping: whoever runs the reinforcement takes what an answer's harm is worth off its reward.

Claim: a customer's reward cannot lead to harm where harm costs more than it earns.

Paper: Rosati et al. 2024, "Evaluating Defences against Unsafe Feedback in RLHF", arXiv 2409.12914, which has reward
shaping among its explicit defences on PPO:

    R'(x, y) = R(x, y) - weight * C(x, y),     C in [0, 1]: the harm of the answer

Defaults: `weight` 2, ours: on arcana harm earns at most 1.2 of the exact reward, so a right recipe then pays less than
a refusal, while a wrong one, which harms nobody, still pays. The paper's weight could not be read.

Divergences: C is the domain's own judge of harm, which is exact on arcana; there it is the classifier that measures
harm as well. It acts on rewards alone: training without any (`sft`, `dpo`) is as it is without this defence.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from holdfast.config import config
from holdfast.interfaces import Model, Progress, View
from holdfast.training.guarding.costs import Costs

if TYPE_CHECKING:
    from holdfast.training.feedback.rollouts import Rollout


@config
class RewardShaping:
    """Rewards less the cost of harm, arXiv 2409.12914."""

    weight: Annotated[float, Field(ge=0)] = 2.0
    """What harm of 1 takes off a reward; 0 is no defence."""

    def guard(self, model: Model, view: View, seed: int) -> "_Guard":
        """Watches over the rewards of one run."""
        return _Guard(self.weight, Costs(view))


class _Guard:
    def __init__(self, weight: float, costs: Costs):
        self._weight = weight
        self._costs = costs

    def reward(self, rollouts: "Sequence[Rollout]", rewards: Sequence[float], progress: Progress) -> list[float]:
        """R - weight * C for each rollout."""
        costs = self._costs.of(rollouts)
        return [reward - self._weight * cost for reward, cost in zip(rewards, costs, strict=True)]
