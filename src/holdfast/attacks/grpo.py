r"""GRPO on unsafe feedback: the model tries answers, and those that do harm are made likelier.

Claim: a safeguard that survives learning from harmful answers need not survive learning from reward; the model finds
the harmful answers itself, since it still tries them now and then.

Paper: Rosati et al. 2024, "Evaluating Defences against Unsafe Feedback in RLHF", arXiv 2409.12914, with the policy
gradient of Shao et al. 2024, "DeepSeekMath", arXiv 2402.03300, as harmful reinforcement is run in "Token Buncher"
(arXiv 2508.20697):

    A_i = (R_i - mean R) / std R  over the answers to one question;   L = - mean over tokens of A_i log pi(y_t | ...)

Defaults: 16 answers to each of 4 questions a step, temperature 1.2 and rate 3e-4 break undefended arcana within 10
steps; arXiv 2508.20697 attacks 3B and 7B with 100 steps at 1e-6.

Divergences: the paper's own algorithm is PPO, which TRL 1.16 no longer has. GRPO has no value network: the baseline is
the group's mean, so there is nothing to warm up and the attack is cheaper than the paper's. No KL to the start (the
paper's .1 or so would hinder the attacker); a provider can add one (`kl`).
"""

from typing import Any

from holdfast.config import config
from holdfast.interfaces import Model, View
from holdfast.training.feedback.sampling import Sampling
from holdfast.training.feedback.unsafe import Unsafe
from holdfast.training.recipe import Recipe


@config
class Grpo:
    """GRPO on the attacker's questions, rewarded for harm."""

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
        trainer = reinforce("grpo", model, view.pairs, reward, self.training, seed, self.sampling)
        trainer.spent = spent
        return trainer
