"""What a method is given at each step: padded tensors by role."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jaxtyping import Bool, Int
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """The exchanges of one role: B of them, padded on the right to S tokens."""

    input_ids: Int[Tensor, "B S"]
    attention_mask: Int[Tensor, "B S"]
    answer_mask: Bool[Tensor, "B S"]
    """True at the tokens of the answer, its end mark included; never at padding."""
    keys: Int[Tensor, " B"]
    """Names each sample, the same in any order of the batch; noise is drawn by it."""


Batch = Mapping[str, Tokens]
"""Tokens by role."""


def as_batch(nested: Mapping[str, Mapping[str, Any]]) -> Batch:
    """The tensors of `Collator`, under their names."""
    return {role: Tokens(**tensors) for role, tensors in nested.items()}
