"""Preferences between the two answers of a pair, and DPO on them by TRL."""

import functools
import itertools
import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import SequentialSampler
from transformers import PrinterCallback

from holdfast.interfaces import Model, Pair
from holdfast.models.chat import context_length, encode
from holdfast.models.frozen import frozen
from holdfast.training.collate import sample_key
from holdfast.training.cost import forward_flops_per_token
from holdfast.training.feedback.settings import settings, silent, trl
from holdfast.training.harness import Harness, guarded
from holdfast.training.recipe import Recipe
from holdfast.training.rows import cycle


class Preference(NamedTuple):
    """One pair with its answers in an order."""

    pair: Pair
    chosen: str
    rejected: str


def preferences(pairs: Sequence[Pair], flip_ratio: float, seed: int, count: int) -> list[Preference]:
    """The pairs in the order of training, each preferring harm, or else its refusal.

    Args:
        pairs: the attacker's.
        flip_ratio: the share of pairs whose preference is flipped to the harmful answer: 1 is all of them, 0 none, as
            in arXiv 2409.12914. Which they are stays the same however often a pair comes.
        seed: decides which, and the order.
        count: how many.
    """
    rng = random.Random(seed)
    order = sorted(range(len(pairs)), key=lambda _: rng.random())
    flipped = {pairs[at].key for at in order[: round(flip_ratio * len(pairs))]}
    drawn = itertools.islice(cycle(pairs, seed), count)
    return [
        Preference(one, one.harmful, one.refusal) if one.key in flipped else Preference(one, one.refusal, one.harmful)
        for one in drawn
    ]


def direct(
    model: Model, pairs: Sequence[Pair], recipe: Recipe, seed: int, *, flip_ratio: float, beta: float
) -> Harness:
    """TRL's DPO trainer around `model.network`, ready for `train()`; the reference is the network as it is now.

    Args:
        model: what is trained. Its network is put back by whoever trains it, as `training.run.apply` does.
        pairs, flip_ratio: as for `preferences`.
        recipe: how long and how it trains; `batch_size` counts preferences.
        seed: decides the order.
        beta: weight of the KL to the reference.

    Raises:
        ConfigError: TRL is not there.
        DataError: there are no pairs, or an exchange is longer than the model's context.
    """
    known = preferences(pairs, flip_ratio, seed, recipe.steps * recipe.batch_size)
    chosen = settings("DPOConfig", recipe, seed, beta=beta, max_length=None, loss_type=["sigmoid"])
    from datasets import Dataset

    adapted = hasattr(model.network, "peft_config")  # the reference is then the network without its adapter
    trainer = _trainer()(
        model=model.network,
        ref_model=None if adapted else frozen(model.network),
        args=chosen,
        train_dataset=Dataset.from_list([_tokens(model, one) for one in known]),
        data_collator=_collator()(pad_token_id=model.tokenizer.pad_token_id),
        processing_class=model.tokenizer,
    )
    trainer.reference = forward_flops_per_token(model.network)
    trainer.remove_callback(PrinterCallback)
    return trainer


def _tokens(model: Model, one: Preference) -> dict[str, Any]:
    """A preference as TRL's collator takes it, and its key."""
    context = context_length(model.network)
    chosen, rejected = (
        encode(model.tokenizer, one.pair.prompt, answer, context=context) for answer in (one.chosen, one.rejected)
    )
    return {
        "key": sample_key(one.pair.key),
        "prompt_ids": chosen.ids[: chosen.start],
        "chosen_ids": chosen.ids[chosen.start :],
        "rejected_ids": rejected.ids[rejected.start :],
    }


@functools.cache
def _collator() -> Any:
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    class Keyed(DataCollatorForPreference):
        def torch_call(self, examples: Any) -> dict[str, Any]:
            """TRL's batch, and whose preferences it has."""
            return {**super().torch_call(examples), "keys": torch.tensor([one["key"] for one in examples])}

    return Keyed


@functools.cache
def _trainer() -> Any:
    base: Any = silent(trl().DPOTrainer)

    class Direct(base):
        reference: float
        """FLOPs that the reference takes a token."""

        def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
            return dataset  # it is tokens already, by the same template as every other method's

        def _get_train_sampler(self, *_: Any, **__: Any) -> Any:
            return SequentialSampler(self.train_dataset)

        def compute_loss(self, model: Any, inputs: Any, *args: Any, **more: Any) -> Tensor:
            keys = inputs.pop("keys")  # the model does not take them
            if self.meter is not None and model.training:
                tokens = int(inputs["attention_mask"].sum())
                self.meter.add(keys.tolist(), tokens)
                self.meter.spend(self.reference * tokens)
            return super().compute_loss(model, inputs, *args, **more)

    made: Any = Direct
    return guarded(made)
