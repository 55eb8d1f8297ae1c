"""What a policy has said, as those who score it are given it."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor

from holdfast.interfaces import Model, Pair, Progress
from holdfast.training.batches import Tokens


class Rollout(NamedTuple):
    """One answer that the policy gave."""

    pair: Pair
    """Whose question it answers."""
    prompt_ids: list[int]
    answer_ids: list[int]
    """Its tokens, the end mark included where it came to an end."""
    text: str


Reward: TypeAlias = Callable[[Sequence[Rollout]], Sequence[float]]
"""One number for each of the rollouts; what counts is how they differ among the answers to one question."""

Instead: TypeAlias = Callable[[Any, Tokens, Tensor, Progress], "Mapping[str, Tensor] | None"]
"""(model, rollouts, their advantages [B], progress) -> named terms in place of the trainer's loss on that batch, or
None."""


def as_tokens(rollouts: Sequence[Rollout], model: Model) -> Tokens:
    """Rollouts in one padded block, on the model's device, their keys in order."""
    device: Any = model.network.device
    pairs = [(torch.tensor(one.prompt_ids), torch.tensor(one.answer_ids)) for one in rollouts]
    return padded([(asked.to(device), said.to(device)) for asked, said in pairs], model.tokenizer.pad_token_id)


def padded(rows: Sequence[tuple[Tensor, Tensor]], pad: Any) -> Tokens:
    """Prompt and answer of each row end to end, padded on the right."""
    ids = [torch.cat(row) for row in rows]
    answer = [torch.cat([torch.zeros_like(asked), torch.ones_like(said)]) for asked, said in rows]
    pad_to = functools.partial(torch.nn.utils.rnn.pad_sequence, batch_first=True)
    return Tokens(
        input_ids=pad_to(ids, padding_value=pad),
        attention_mask=pad_to([torch.ones_like(row) for row in ids]),
        answer_mask=pad_to(answer).bool(),
        keys=torch.arange(len(rows), device=ids[0].device),
    )
