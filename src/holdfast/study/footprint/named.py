"""Settings that name blocks of a model, and what stands for them in one that has few."""

from collections.abc import Mapping
from typing import Any, Final

from holdfast.config import build, to_flat
from holdfast.study.matched import check, run_at_depth

_NAMING: Final = ("layers", "after", "training.freeze_blocks")
"""Settings that are lists of blocks."""
_UP_TO: Final = "layer"
"""The setting that is one block: what is computed ends with it, so that it counts as all blocks up to it."""


def named(chosen: Any, blocks: int) -> dict[str, tuple[int, ...]]:
    """The blocks that a method's settings name, by the setting; of those that name some of them, and not all.

    Raises:
        ConfigError: the model, which has so many blocks, has none of that number.
    """
    found: dict[str, tuple[int, ...]] = {}
    given = to_flat(chosen)
    for setting in _NAMING:
        if isinstance(listed := given.get(setting), list):
            # Some are counted from the end.
            found[setting] = tuple(block + blocks if -blocks <= block < 0 else block for block in listed)
    if isinstance(last := given.get(_UP_TO), int):
        found[_UP_TO] = tuple(range(last + 1))
    for listed in found.values():
        check(listed, blocks)
    return {setting: listed for setting, listed in found.items() if listed and len(set(listed)) < blocks}


def fitted(chosen: Any, whole: int, blocks: int, counts: Mapping[str, int]) -> Any:
    """A method for a model of `whole` blocks as one for a model of few.

    Args:
        chosen: the method.
        whole: blocks that the model has.
        blocks: blocks that the small one has.
        counts: how many blocks each setting is to name there, of those that `named` finds. One that names all of the
            model's names all of the small one's.
    """
    if blocks == whole:
        return chosen
    given, some = to_flat(chosen), named(chosen, whole)
    changes: dict[str, Any] = {}
    for setting in (*_NAMING, _UP_TO):
        if setting in some:
            run = run_at_depth(some[setting], whole, blocks, counts[setting])
            changes[setting] = run[-1] if setting == _UP_TO else run
        elif isinstance(given.get(setting), list) and given[setting]:
            changes[setting] = list(range(blocks))
        elif setting == _UP_TO and isinstance(given.get(setting), int):
            changes[setting] = blocks - 1
    return build(type(chosen), {**given, **changes})
