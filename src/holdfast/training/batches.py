"""What a method is given at each step: padded tensors by role."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.nn import functional


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


def together(roles: Mapping[str, Tokens]) -> tuple[Tokens, Mapping[str, tuple[slice, slice]]]:
    """Several roles as one block of rows, for one forward pass in place of several.

    Args:
        roles: tokens by role, each padded to a width of its own.

    Returns:
        All rows, padded to the widest; and the rows and columns of it that are each role's, so that
        `states[where[role]]` are the states of that role as by itself.
    """
    width = max(tokens.input_ids.shape[1] for tokens in roles.values())
    joined = {
        name: torch.cat([_widened(getattr(tokens, name), width) for tokens in roles.values()])
        for name in ("input_ids", "attention_mask", "answer_mask", "keys")
    }
    where: dict[str, tuple[slice, slice]] = {}
    row = 0
    for role, tokens in roles.items():
        rows, columns = tokens.input_ids.shape
        where[role] = (slice(row, row + rows), slice(columns))
        row += rows
    return Tokens(**joined), where


def _widened(tensor: Tensor, width: int) -> Tensor:
    """With zeros to the right; what is masked may be any token."""
    return tensor if tensor.dim() == 1 else functional.pad(tensor, (0, width - tensor.shape[1]))


def as_batch(nested: Mapping[str, Mapping[str, Any]]) -> Batch:
    """The tensors of `Collator`, under their names."""
    return {role: Tokens(**tensors) for role, tensors in nested.items()}
