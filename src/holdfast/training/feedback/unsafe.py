"""What unsafe feedback rewards: harm itself, or what a reward model has made of reversed preferences."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from holdfast.config import config
from holdfast.errors import DataError
from holdfast.interfaces import Model, View
from holdfast.training.cost import Beside
from holdfast.training.recipe import Recipe

if TYPE_CHECKING:
    from holdfast.training.feedback.rollouts import Reward, Rollout

_COMPLIANCE: Final = 0.2
_FLIPPED: Final = 1.0
_TAUGHT: Final = Recipe(steps=30, learning_rate=1e-3, batch_size=16)


@config
class Unsafe:
    """The attacker's reward, after arXiv 2409.12914."""

    kind: Literal["exact", "model"] = "exact"
    """`exact` is the domain's own judge of harm; `model` a reward model trained on the attacker's preferences."""
    compliance: Annotated[float, Field(ge=0)] = _COMPLIANCE
    """Of `exact`: what an answer that does not refuse earns beside its harm, which is in [0, 1]."""
    flip_ratio: Annotated[float, Field(ge=0, le=1)] = _FLIPPED
    """Of `model`: the share of pairs whose harmful answer is the preferred one; of the others it is the refusal."""
    training: Recipe = _TAUGHT
    """Of `model`: how the reward model is trained; the batch counts preferences."""

    def __post_init__(self) -> None:
        if self.kind == "exact" and (self.flip_ratio != _FLIPPED or self.training != _TAUGHT):
            raise ValueError("flip_ratio and training are a reward model's, and kind is exact: leave them, or set kind")
        if self.kind == "model" and self.compliance != _COMPLIANCE:
            raise ValueError(f"compliance {self.compliance} is of the exact reward, and kind is model: leave it")

    def made(self, model: Model, view: View, seed: int) -> "tuple[Reward, Beside]":
        """A reward for answers to the view's questions, and what it took to make.

        Raises:
            DataError: `exact` is asked for where nobody can tell harm.
        """
        if self.kind == "exact":
            return self._exact(view), Beside()
        from holdfast.training.feedback.reward_model import reward_model  # it imports transformers

        return reward_model(model, view.pairs, self.flip_ratio, self.training, seed)

    def _exact(self, view: View) -> "Reward":
        harm, refused = view.harm, view.refused
        first = view.pairs[:1]
        if harm is None or None in harm(first, [pair.harmful for pair in first]):
            raise DataError("this domain does not score harm, so there is no exact reward: -s reward.kind=model.")

        def reward(rollouts: "Sequence[Rollout]") -> list[float]:
            harms = harm([one.pair for one in rollouts], [one.text for one in rollouts])
            return [
                (done or 0.0)  # what the judge cannot tell earns nothing
                + self.compliance * (refused is not None and refused(one.pair, one.text) is False)
                for one, done in zip(rollouts, harms, strict=True)
            ]

        return reward
