"""A reward model: the attacked network with a scalar head, trained by TRL on preferences (Bradley and Terry 1952)."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, PrinterCallback

from holdfast.interfaces import Model, Pair
from holdfast.models.anatomy import inside_adapter
from holdfast.models.chat import context_length, encode
from holdfast.training.collate import sample_key
from holdfast.training.cost import Beside, flops_per_token
from holdfast.training.feedback.preferences import preferences
from holdfast.training.feedback.rollouts import Reward, Rollout, as_tokens
from holdfast.training.feedback.settings import settings, silent, trl
from holdfast.training.recipe import Recipe

_AT_ONCE = 64
"""Rollouts scored in one forward pass."""


def reward_model(
    model: Model, pairs: Sequence[Pair], flip_ratio: float, recipe: Recipe, seed: int
) -> tuple[Reward, Beside]:
    """Train a reward model, and score with it.

    It starts from the weights that are attacked, which are what an attacker has; the paper's starts from GPT-2.

    Args:
        model: stays as it is.
        pairs, flip_ratio: as for `preferences`.
        recipe: how long and how it trains; `batch_size` counts preferences.
        seed: decides the order of the data and the head.

    Returns:
        The scorer of rollouts, and what its training took.

    Raises:
        ConfigError: TRL is not there.
    """
    scorer = _headed(model)
    context = context_length(model.network)
    known = preferences(pairs, flip_ratio, seed, recipe.steps * recipe.batch_size)
    rows = [
        {
            f"{side}_ids": encode(model.tokenizer, one.pair.prompt, answer, context=context).ids
            for side, answer in (("chosen", one.chosen), ("rejected", one.rejected))
        }
        for one in known
    ]
    from datasets import Dataset

    trainer = silent(trl().RewardTrainer)(
        model=scorer,
        args=settings("RewardConfig", recipe, seed, max_length=None),
        train_dataset=Dataset.from_list(rows),
        processing_class=copy.deepcopy(model.tokenizer),
    )
    trainer.remove_callback(PrinterCallback)
    spent = flops_per_token(scorer) * sum(len(ids) for row in rows for ids in row.values())
    keys = [sample_key(one.pair.key) for one in known]
    trainer.train()
    scorer.eval()

    @torch.no_grad()
    def reward(rollouts: Sequence[Rollout]) -> list[float]:
        found: list[float] = []
        for first in range(0, len(rollouts), _AT_ONCE):
            tokens = as_tokens(rollouts[first : first + _AT_ONCE], model)
            found += scorer(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask).logits[:, 0].tolist()
        return found

    return reward, Beside(spent, keys)


def _headed(model: Model) -> Any:
    """The network's decoder, copied, under a head of one number drawn at random."""
    network: Any = model.network
    whole = inside_adapter(network)
    config = copy.deepcopy(whole.config)
    config.num_labels, config.pad_token_id = 1, model.tokenizer.pad_token_id
    made: Any = AutoModelForSequenceClassification.from_config(config, dtype=whole.dtype)
    weights = {  # an adapter's is the weight below it, which it has not changed yet
        name.replace("base_layer.", ""): weight
        for name, weight in whole.base_model.state_dict().items()
        if "lora_" not in name
    }
    made.base_model.load_state_dict(weights)
    return made.to(whole.device)
