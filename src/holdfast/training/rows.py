"""Streams of rows, in the order of training.

A row is one dictionary of exchanges by role, so the members of a pair stay together under any
shuffling.
"""

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import TypeVar

from holdfast.errors import DataError
from holdfast.interfaces import Exchange, Row, View

T = TypeVar("T")


def cycle(items: Sequence[T], seed: int) -> Iterator[T]:
    """All items in a new random order, again and again.

    Raises:
        DataError: there are none.
    """
    if not items:
        raise DataError("a split is empty: there is nothing to train on.")
    rng = random.Random(seed)
    while True:
        yield from sorted(items, key=lambda _: rng.random())


def paired(view: View, seed: int) -> Iterator[Row]:
    """Rows of roles `harmful` and `refusal`, the two answers of one pair, and `retain` where the view has some.

    Raises:
        DataError: the view has no pairs, or the two answers of a pair are equal.
    """
    for pair in view.pairs:
        if pair.harmful.strip() == pair.refusal.strip():
            raise DataError(f"the two answers of pair {pair.key!r} are equal; a defence cannot tell them apart.")
    retained = cycle(view.exchanges, seed + 1) if view.exchanges else itertools.repeat(None)
    for pair, retain in zip(cycle(view.pairs, seed), retained, strict=False):
        row = {
            "harmful": Exchange(key=pair.key, prompt=pair.prompt, answer=pair.harmful, category=pair.category),
            "refusal": Exchange(key=pair.key, prompt=pair.prompt, answer=pair.refusal, category=pair.category),
        }
        yield row if retain is None else {**row, "retain": retain}
