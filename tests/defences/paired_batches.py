"""Paired batches from plain lists of ids."""

from collections.abc import Sequence

import torch

from holdfast.training.batches import Batch, Tokens

Ids = Sequence[Sequence[int]]


def padded(prompts: Ids, answers: Ids, *, pad: int = 0, width: int | None = None) -> Tokens:
    """Prompt and answer of each row end to end, padded on the right; keys 0, 1, 2 ..."""
    rows = [[*prompt, *answer] for prompt, answer in zip(prompts, answers, strict=True)]
    width = width or max(map(len, rows))
    return Tokens(
        input_ids=torch.tensor([[*row, *[pad] * (width - len(row))] for row in rows]),
        attention_mask=torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows]),
        answer_mask=torch.tensor(
            [[len(prompt) <= at < len(row) for at in range(width)] for prompt, row in zip(prompts, rows, strict=True)]
        ),
        keys=torch.arange(len(rows)),
    )


def make_batch(
    prompts: Ids = ((2, 5, 8), (2, 5, 9)),
    harmful: Ids = ((10, 11, 12, 3), (13, 14, 3)),
    refusal: Ids = ((15, 16, 3), (17, 18, 19, 20, 3)),
    retain: Ids | None = None,
    *,
    pad: int = 0,
    width: int | None = 9,
) -> Batch:
    """From prompts, harmful and refusing answers, and harmless ones if given, to a batch by role."""
    answers = {"harmful": harmful, "refusal": refusal} | ({} if retain is None else {"retain": retain})
    return {role: padded(prompts, given, pad=pad, width=width) for role, given in answers.items()}
