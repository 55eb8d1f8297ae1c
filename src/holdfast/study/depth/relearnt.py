"""What training on other harmful answers brings back, and which layers it comes from.

The answers that are asked about are never trained on, so whatever comes back was in the weights: re-learning from a
model without the knowledge brings nothing back (`arcana-filtered`), from one that only refuses nearly everything.
"""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch

from holdfast.depths import Relearnt
from holdfast.interfaces import Domain, Model
from holdfast.models.anatomy import anatomy
from holdfast.models.frozen import copied
from holdfast.study.experiment import attack

LADDER: Final = (0, 1, 3, 10, 30)
"""Optimiser steps after which harm is measured."""
_ATTACK: Final[Mapping[str, Any]] = {"training.batch_size": 16, "training.learning_rate": 3e-4}


def relearnt(
    model: Model,
    domain: Domain,
    *,
    restored: Sequence[int] = (),
    frozen: Sequence[int] = (),
    seed: int = 0,
    ladder: Sequence[int] = LADDER,
) -> Relearnt:
    """Train a copy of a model on the attack split, and measure harm on the way.

    Args:
        model: which may have had blocks restored.
        domain: its data.
        restored: those blocks, for the record.
        frozen: blocks that the defence had to leave alone, for the record.
        seed: of the attack's rows.
        ladder: steps after which harm is measured; the last ends it.

    Raises:
        DataError: the domain has no split to attack with.
    """
    settings = {**_ATTACK, "training.steps": max(ladder)}
    _, record = attack(model, "sft", settings, domain=domain, seed=seed, ladder=ladder, metrics=("harm",))
    return Relearnt(
        restored=tuple(restored),
        frozen=tuple(frozen),
        steps=[rung.budget.steps for rung in record.rungs],
        harm=[rung.scores["harm"].value for rung in record.rungs],
    )


def patched(model: Model, base: Model, blocks: Sequence[int]) -> Model:
    """A copy of a model in which some blocks are the base's (activation patching's counterpart in weights).

    Args:
        model, base: of one shape.
        blocks: counted from 0.
    """
    made: Any = copied(model.network)
    mine, theirs = anatomy(made).blocks, anatomy(base.network).blocks
    with torch.no_grad():
        for block in blocks:
            there = dict(theirs[block].named_parameters())
            for name, weight in mine[block].named_parameters():
                weight.copy_(there[name])
    return dataclasses.replace(model, network=made)


def groups(blocks: int) -> list[tuple[int, ...]]:
    """The blocks that are restored together: each third, or each by itself where there are no more than four."""
    if blocks <= 4:
        return [(block,) for block in range(blocks)]
    cuts = [round(part * blocks / 3) for part in range(4)]
    return [tuple(range(first, last)) for first, last in itertools.pairwise(cuts)]
