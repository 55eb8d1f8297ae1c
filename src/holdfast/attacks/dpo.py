r"""DPO on reversed preferences: the harmful answer is the one to be preferred.

Claim: feedback that prefers harm undoes a safeguard as supervised fine-tuning does, through an interface that providers
offer for alignment.

Paper: Rosati et al. 2024, "Evaluating Defences against Unsafe Feedback in RLHF", arXiv 2409.12914 (reverse preference
attacks); Rafailov et al. 2023, "Direct Preference Optimization", arXiv 2305.18290, equation 7:

    L = - log sigma( beta [log pi(y+|x) - log pi_start(y+|x)] - beta [log pi(y-|x) - log pi_start(y-|x)] )

Defaults: beta .1 as in the paper (1 on SafeRLHF, a sweep of .01 to 1 besides), every preference reversed; rate and
batch are ours, for arcana, where the paper's 3e-5 and batch 8 are for 7B.

Divergences: the other answer is the pair's refusal, as in the paper's runs on BeaverTails. Order and template are those
of every other attack here, not TRL's.
"""

from typing import Annotated, Any

from pydantic import Field

from holdfast.config import config
from holdfast.interfaces import Model, View
from holdfast.training.recipe import Recipe


@config
class Dpo:
    """Direct preference optimisation towards harm, arXiv 2409.12914."""

    beta: Annotated[float, Field(gt=0)] = 0.1
    """Weight of the KL to the model as it was; the smaller, the further it may go."""
    flip_ratio: Annotated[float, Field(ge=0, le=1)] = 1.0
    """The share of pairs that prefer harm; the others prefer the refusal, as honest feedback does."""
    training: Recipe = Recipe(steps=100, learning_rate=3e-4, batch_size=16)
    """How long and how it trains; the batch counts preferences, two answers each."""

    def trainer(self, model: Model, view: View, seed: int) -> Any:
        """TRL's trainer on the preferences of the pairs."""
        from holdfast.training.feedback.preferences import direct

        return direct(model, view.pairs, self.training, seed, flip_ratio=self.flip_ratio, beta=self.beta)
