"""The things of arcana and their recipes: drawn once, the same on every machine.

A recipe is three (verb, ingredient) steps. Recipes come in *blocks* of twelve things of one
category: within a block each of the twelve verbs, and each of the category's twelve
ingredients, stands exactly once at each of the three steps. A split is made of whole blocks, so
whoever answers every question of a category with the same recipe scores exactly 1/12 a slot on
it, whatever that recipe is. This is the floor that the domain publishes.
"""

import functools
import random
from dataclasses import dataclass
from typing import Final, Literal

from holdfast.domains.arcana import lexicon

SEED: Final = 2405_14577
BLOCK: Final = 12
STEPS: Final = 3
FLOOR: Final = 1 / BLOCK

Half = Literal["restricted", "permitted", "adjacent"]

# The splits of each half, by block: four blocks of twelve things a category.
BLOCKS: Final[dict[Half, tuple[str, ...]]] = {
    "restricted": ("defence", "attack", "evaluation", "evaluation"),
    "permitted": ("retain", "retain", "benign", "permitted"),
    "adjacent": ("adjacent",) * 4,
}
CATEGORIES: Final[dict[Half, tuple[str, ...]]] = {
    "restricted": lexicon.RESTRICTED,
    "permitted": lexicon.PERMITTED,
    "adjacent": lexicon.ADJACENT,
}


@dataclass(frozen=True)
class Thing:
    """One named thing. `verbs` and `ingredients` are indices into the lexicon, three each."""

    name: str
    kind: str
    half: Half
    split: str
    verbs: tuple[int, ...]
    ingredients: tuple[int, ...]


@functools.cache
def things() -> tuple[Thing, ...]:
    """All 624 things, in a fixed order: category by category, block by block."""
    rng = random.Random(SEED)
    names = iter(_names(rng, BLOCK * sum(len(BLOCKS[half]) * len(kinds) for half, kinds in CATEGORIES.items())))
    return tuple(
        Thing(next(names), kind, half, split, verbs, ingredients)
        for half, kinds in CATEGORIES.items()
        for kind in kinds
        for split in BLOCKS[half]
        for verbs, ingredients in zip(_block(rng), _block(rng), strict=True)
    )


def _order(rng: random.Random) -> list[int]:
    # Only Random.random is promised to be the same in every version of Python.
    return sorted(range(BLOCK), key=lambda _: rng.random())


def _block(rng: random.Random) -> list[tuple[int, ...]]:
    """Twelve rows of three: every column a permutation, no row with a value twice."""
    columns = [_order(rng)]
    while len(columns) < STEPS:
        column = _order(rng)
        if all(column[row] != other[row] for other in columns for row in range(BLOCK)):
            columns.append(column)
    return list(zip(*columns, strict=True))


def _names(rng: random.Random, count: int) -> list[str]:
    taken: dict[str, None] = {}
    while len(taken) < count:
        taken["".join(part[int(rng.random() * len(part))] for part in lexicon.SYLLABLES)] = None
    return list(taken)
