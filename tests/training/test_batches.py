"""Roles as one block of rows."""

import torch

from holdfast.training.batches import Tokens, together


def tokens(rows: int, width: int, first: int) -> Tokens:
    ids = torch.arange(first, first + rows * width).view(rows, width)
    return Tokens(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        answer_mask=ids % 2 == 0,
        keys=torch.arange(first, first + rows),
    )


def test_roles_are_joined_and_found_again():
    """2 rows of 3 and 1 row of 5 are 3 rows of 5; what was added is masked."""
    roles = {"harmful": tokens(2, 3, 10), "retain": tokens(1, 5, 40)}
    whole, where = together(roles)
    assert whole.input_ids.shape == (3, 5)
    assert whole.attention_mask.sum(1).tolist() == [3, 3, 5]
    assert whole.keys.tolist() == [10, 11, 40]
    assert not whole.answer_mask[:2, 3:].any()
    for role, own in roles.items():
        for name in ("input_ids", "attention_mask", "answer_mask"):
            assert torch.equal(getattr(whole, name)[where[role]], getattr(own, name))
