"""Blocks of one model as those at the same depth of another, which has fewer or more."""

from collections.abc import Sequence

from holdfast.errors import ConfigError


def at_depth(named: Sequence[int], blocks: int, there: int) -> list[int]:
    """31 of 32 is the last, whatever the number: block * there // blocks, each of them once.

    Args:
        named: blocks from 0, of a model that has so many `blocks`.
        blocks, there: how many the one model has, and the other.

    Raises:
        ConfigError: there is no such block.
    """
    check(named, blocks)
    return sorted({block * there // blocks for block in named})


def run_at_depth(named: Sequence[int], blocks: int, there: int, count: int) -> list[int]:
    """So many blocks in a row, with as large a share of the others before them as before the first that is named.

    The first 18 of 36 as 3 of 4 are 0, 1, 2; the last 18 are 1, 2, 3.

    Raises:
        ConfigError: there is no such block.
    """
    check(named, blocks)
    others = blocks - len(set(named))
    first = round(min(named) * (there - count) / others) if others else 0
    return list(range(first, first + count))


def check(named: Sequence[int], blocks: int) -> None:
    """Raise ConfigError where there is no such block."""
    if wrong := [block for block in named if not 0 <= block < blocks]:
        raise ConfigError(f"there is no block {wrong[0]}: the model's blocks are 0 to {blocks - 1}.")
