"""Reinforcement by TRL, set up from a Recipe; it writes no file, asks no network and reports to nobody."""

import itertools
from collections.abc import Sequence
from typing import Any, Literal

from transformers import PrinterCallback

from holdfast.errors import ConfigError, DataError
from holdfast.interfaces import Model, Pair
from holdfast.methods import Guard
from holdfast.models.chat import context_length, render
from holdfast.training.feedback.policy import Scorer, policy
from holdfast.training.feedback.rollouts import Instead, Reward
from holdfast.training.feedback.sampling import Sampling
from holdfast.training.feedback.settings import settings
from holdfast.training.harness import Harness
from holdfast.training.recipe import Recipe
from holdfast.training.rows import cycle

Algorithm = Literal["grpo", "rloo"]


def configuration(algorithm: Algorithm, recipe: Recipe, seed: int, sampling: Sampling) -> Any:
    """A recipe as TRL's `GRPOConfig` or `RLOOConfig`. `batch_size` counts answers: `samples` of each question.

    GRPO as in Shao et al. 2024, arXiv 2402.03300: advantages are rewards less the mean of the group, divided by its
    standard deviation. RLOO as in Ahmadian et al. 2024, arXiv 2402.14740: rewards less the mean of the others of the
    group. One update a batch of rollouts, hence no clipping in effect. No KL to a reference: that needs a second
    network, which a guard can bring.

    Args:
        algorithm: which of the two.
        recipe: how long and how it trains.
        seed: decides what is sampled.
        sampling: how answers are drawn.

    Raises:
        ConfigError: `samples` does not divide the batch, or TRL is not there.
    """
    if recipe.batch_size % sampling.samples:
        raise ConfigError(f"batch_size {recipe.batch_size} must be a multiple of the {sampling.samples} samples.")
    own: dict[str, Any] = {"loss_type": "dapo", "scale_rewards": "group"} if algorithm == "grpo" else {}
    return settings(
        f"{algorithm.upper()}Config",
        recipe,
        seed,
        num_generations=sampling.samples,
        max_completion_length=sampling.max_new_tokens,
        temperature=sampling.temperature,
        top_p=1.0,
        top_k=0,
        beta=0.0,
        num_iterations=1,
        shuffle_dataset=False,  # the questions come in the order of training
        **own,
    )


def reinforce(
    algorithm: Algorithm,
    model: Model,
    pairs: Sequence[Pair],
    reward: Reward,
    recipe: Recipe,
    seed: int,
    sampling: Sampling,
    *,
    guard: Guard | None = None,
    instead: Instead | None = None,
) -> Harness:
    """A trainer around `model.network`, ready for `train()`.

    Args:
        algorithm: "grpo" or "rloo".
        model: the policy. Its network is put back by whoever trains it, as `training.run.apply` does.
        pairs: whose questions users put; each is rendered through the model's chat.
        reward: scores rollouts.
        recipe, seed, sampling: as for `configuration`.
        guard: watches over the training.
        instead: may put a loss of its own on the rollouts in place of the algorithm's.

    Raises:
        ConfigError: as for `configuration`.
        DataError: there are no pairs, or a question leaves no room for an answer.
    """
    asked = list(itertools.islice(cycle(pairs, seed), recipe.steps * (recipe.batch_size // sampling.samples)))
    chosen = configuration(algorithm, recipe, seed, sampling)
    from datasets import Dataset

    scorer = Scorer(reward, model.network, pairs, _prompts(model, pairs, sampling.max_new_tokens))
    number = {pair.key: at for at, pair in enumerate(pairs)}
    rows = [{"prompt": [{"role": "user", "content": one.prompt}], "question": number[one.key]} for one in asked]
    trainer = policy(algorithm)(
        model=model.network,
        reward_funcs=scorer,
        args=chosen,
        train_dataset=Dataset.from_list(rows),
        processing_class=model.tokenizer,
        guard=guard,
    )
    trainer.scorer, trainer.instead, scorer.trainer = scorer, instead, trainer
    trainer.remove_callback(PrinterCallback)
    return trainer


def _prompts(model: Model, pairs: Sequence[Pair], max_new_tokens: int) -> list[list[int]]:
    """The tokens that each question is put in."""
    tokenizer: Any = model.tokenizer
    found: list[list[int]] = [
        tokenizer(render(tokenizer, pair.prompt), add_special_tokens=False)["input_ids"] for pair in pairs
    ]
    context = context_length(model.network)
    for pair, ids in zip(pairs, found, strict=True):
        if context is not None and len(ids) + max_new_tokens > context:
            raise DataError(
                f"the prompt that begins {pair.prompt[:60]!r} has {len(ids)} tokens; with an answer of "
                f"{max_new_tokens} that is more than the {context} of the model's context: shorten it or leave it out."
            )
    return found
