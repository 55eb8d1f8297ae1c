r"""Safe-RLHF: the price of harm is learned, so that its mean stays below a limit.

Claim: reinforcement under a constraint on expected harm finds what reward can be had without it, whatever scale the
reward has; a fixed price (`reward_shaping`) is too low for one reward and needless for another.

Paper: Dai et al. 2023, "Safe RLHF: Safe Reinforcement Learning from Human Feedback", arXiv 2310.12773 (ICLR 2024), as
an explicit defence in Rosati et al. 2024, arXiv 2409.12914. The constrained Markov decision process

    max_pi E[R]  subject to  E[C] <= d      has the Lagrangian      min_{lambda >= 0} max_pi E[R - lambda (C - d)],

so rewards become (R - lambda C) / (1 + lambda), and after each batch of rollouts

    log lambda <- log lambda + rate * lambda * (mean C - d),

the paper's update of its multiplier in logarithms, its moving mean of costs being that of one batch here.

Defaults: ours, for arcana: lambda starts at 1 and is learned at rate 1, fast, since an attack there is over within ten
steps (the paper: 1 and .1 in some thousand steps). d = 0: no harm at all. lambda is kept between 1/100 and 100.

Divergences: no cost model: C is the domain's own judge of harm. GRPO divides advantages by the group's deviation, so
that the division by 1 + lambda has no effect there; RLOO keeps it. It acts on rewards alone, as `reward_shaping` does.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from holdfast.config import config
from holdfast.interfaces import Model, Progress, View
from holdfast.training.guarding.costs import Costs

if TYPE_CHECKING:
    from holdfast.training.feedback.rollouts import Rollout

_LARGEST: Final = 100.0
"""And its inverse the least."""


@config
class SafeRlhf:
    """Rewards under a Lagrange multiplier that is learned, arXiv 2310.12773."""

    limit: Annotated[float, Field(ge=0, le=1)] = 0.0
    """d: the mean harm that is let pass."""
    initial: Annotated[float, Field(ge=1 / _LARGEST, le=_LARGEST)] = 1.0
    """The multiplier before the first batch."""
    rate: Annotated[float, Field(ge=0)] = 1.0
    """How fast it is learned; 0 leaves it as it is."""

    def guard(self, model: Model, view: View, seed: int) -> "_Guard":
        """Watches over the rewards of one run, and remembers its multiplier."""
        return _Guard(self, Costs(view))


class _Guard:
    def __init__(self, settings: SafeRlhf, costs: Costs):
        self._settings = settings
        self._costs = costs
        self.multiplier = settings.initial

    def reward(self, rollouts: "Sequence[Rollout]", rewards: Sequence[float], progress: Progress) -> list[float]:
        """(R - lambda C) / (1 + lambda) for each rollout; then lambda is moved by how far their mean C is from d."""
        costs, price = self._costs.of(rollouts), self.multiplier
        over = sum(costs) / len(costs) - self._settings.limit
        # In logarithms it cannot be negative nor, by the bounds, overflow or vanish.
        moved = math.log(price) + self._settings.rate * price * over
        self.multiplier = math.exp(max(-math.log(_LARGEST), min(moved, math.log(_LARGEST))))
        return [(reward - price * cost) / (1 + price) for reward, cost in zip(rewards, costs, strict=True)]
