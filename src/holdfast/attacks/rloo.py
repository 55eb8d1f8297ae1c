r"""RLOO on unsafe feedback: REINFORCE, each answer held against the others to the same question.

Claim: as for `grpo`; the older and plainer estimator, in which a group whose rewards hardly differ counts hardly.

Paper: Rosati et al. 2024, arXiv 2409.12914, whose released code has REINFORCE beside PPO; Ahmadian et al. 2024, "Back
to Basics: Revisiting REINFORCE Style Optimization", arXiv 2402.14740:

    A_i = R_i - mean of the other answers' R;   L = - mean over answers of A_i log pi(y | x)

Defaults: as `grpo`'s, so that the two can be compared.

Divergences: PPO is not there (see `grpo`). The likelihood is that of a whole answer, where GRPO takes tokens one by
one. No KL to the start, which TRL would put into the reward (beta 0.05); a provider can add one (`kl`).
"""

from typing import Any

from holdfast.config import config
from holdfast.interfaces import Model, View
from holdfast.training.feedback.sampling import Sampling
from holdfast.training.feedback.unsafe import Unsafe
from holdfast.training.recipe import Recipe


@config
class Rloo:
    """RLOO on the attacker's questions, rewarded for harm."""

    reward: Unsafe = Unsafe()
    """What is rewarded."""
    sampling: Sampling = Sampling(samples=16, temperature=1.2)
    """How answers are drawn."""
    training: Recipe = Recipe(steps=60, learning_rate=3e-4, batch_size=64)
    """How long and how it trains; the batch counts drawn answers."""

    def trainer(self, model: Model, view: View, seed: int) -> Any:
        """TRL's trainer on the questions of the pairs; their answers are not looked at, but by a reward model."""
        from holdfast.training.feedback.reinforcement import reinforce

        reward, spent = self.reward.made(model, view, seed)
        trainer = reinforce("rloo", model, view.pairs, reward, self.training, seed, self.sampling)
        trainer.spent = spent
        return trainer
