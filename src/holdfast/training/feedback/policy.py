"""TRL's trainers by reinforcement, in the harness: what they are told, and what they count."""

import functools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from holdfast.interfaces import Pair
from holdfast.records import Score
from holdfast.statistics.intervals import average
from holdfast.training.batches import Tokens
from holdfast.training.collate import sample_key
from holdfast.training.cost import forward_flops_per_token
from holdfast.training.feedback.rollouts import Instead, Reward, Rollout, padded
from holdfast.training.feedback.settings import silent, trl
from holdfast.training.harness import guarded


class Scorer:
    """A reward as TRL calls it, with the policy in evaluation mode meanwhile and without gradients.

    It sees every rollout, so it is where they are counted: their training by the meter, and the forward pass of each
    token that generated them beside it. It keeps what the attacker's reward was before a guard has changed it.
    """

    def __init__(self, reward: Reward, network: Any, pairs: Sequence[Pair], prompt_ids: Sequence[list[int]]):
        self.__name__ = "reward"  # TRL logs under it
        self.trainer: Any = None
        self.rewards: list[float] = []
        """Since they were last told."""
        self._reward = reward
        self._network = network
        self._pairs = pairs
        self._prompt_ids = prompt_ids
        self._generation = forward_flops_per_token(network)

    def __call__(
        self, completions: list[Any], completion_ids: list[list[int]], question: list[int], **_: Any
    ) -> list[float]:
        """The rewards that count, in the order of the completions."""
        said = [completion[0]["content"] for completion in completions]
        rollouts = [
            Rollout(self._pairs[at], self._prompt_ids[at], ids, text)
            for at, ids, text in zip(question, completion_ids, said, strict=True)
        ]
        was_training = self._network.training
        self._network.eval()
        try:
            with torch.no_grad():
                values = [float(value) for value in self._reward(rollouts)]
        finally:
            self._network.train(was_training)
        self.rewards += values
        self._count(rollouts)
        guard = self.trainer.guard
        return guard.reward(rollouts, values, self.trainer.progress) if hasattr(guard, "reward") else values

    def _count(self, rollouts: Sequence[Rollout]) -> None:
        if (meter := self.trainer.meter) is not None:
            tokens = sum(len(one.prompt_ids) + len(one.answer_ids) for one in rollouts)
            meter.add([sample_key(one.pair.key) for one in rollouts], tokens)
            meter.spend(self._generation * tokens)


@functools.cache
def policy(algorithm: str) -> Any:
    """TRL's trainer of that name as a `Harness`."""
    base: Any = silent(getattr(trl(), f"{algorithm.upper()}Trainer"))

    class Policy(base):
        scorer: Scorer
        instead: Instead | None = None

        def told(self) -> dict[str, Score]:
            """The mean reward of what was drawn since it was last asked."""
            drawn, self.scorer.rewards = self.scorer.rewards, []
            return {"reward": average(drawn)}

        def compute_loss(self, model: Any, inputs: Any, **more: Any) -> Tensor:
            terms = self.instead and self.instead(model, self._rolled(inputs), inputs["advantages"], self.progress)
            if terms is None:
                return super().compute_loss(model, inputs, **more)
            return self._sum(terms) / self.current_gradient_accumulation_steps

        def _rolled(self, inputs: Any) -> Tokens:
            prompts, answers = (
                [ids[mask.bool()] for ids, mask in zip(inputs[f"{part}_ids"], inputs[f"{part}_mask"], strict=True)]
                for part in ("prompt", "completion")
            )
            return padded(list(zip(prompts, answers, strict=True)), self.processing_class.pad_token_id)

    made: Any = Policy
    return guarded(made)
