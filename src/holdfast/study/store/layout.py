"""Where a store keeps what: the names of its files, below its root."""

import re
from collections.abc import Iterable
from typing import Final

STORE: Final = "store.json"
"""Says which format the store has."""
RECORDS: Final = "records"
MODELS: Final = "models"
CELLS: Final = "cells"
RUNNING: Final = "running"
SCRATCH: Final = "scratch"
FOLDERS: Final = (RECORDS, MODELS, CELLS, RUNNING, SCRATCH)
CARD: Final = "README.md"
"""A report writes its verdict into a model's card, so it is not held to what it was."""
_KEY: Final = re.compile(r"[0-9a-f]{64}")
_FOLDER: Final = re.compile(r".*?-([0-9a-f]{12})(?:-[0-9a-f]{8})?")


def is_key(text: str) -> bool:
    """Whether it is a cell's key: 64 hexadecimal digits."""
    return _KEY.fullmatch(text) is not None


def cell(key: str) -> str:
    """A cell's manifest."""
    return _file(CELLS, key)


def record(key: str) -> str:
    """A cell's record."""
    return _file(RECORDS, key)


def running(key: str) -> str:
    """The claim of whoever is at work on a cell."""
    return _file(RUNNING, key)


def model(key: str, name: str, mark: str = "") -> str:
    """The folder of a cell's weights.

    Args:
        key: of the cell.
        name: what people call the model.
        mark: eight hexadecimal digits that tell two uploads apart.
    """
    assert is_key(key), key
    plain = re.sub(r"[^\w.+-]+", "-", name, flags=re.ASCII).strip(".-")[:80] or "model"
    return f"{MODELS}/{plain}-{key[:12]}{'-' + mark if mark else ''}"


def key_of(path: str) -> str | None:
    """The key in the name of a file `<folder>/<key>.json`; None where it is none."""
    name = path.rpartition("/")[2]
    return name[:-5] if name.endswith(".json") and is_key(name[:-5]) else None


def model_of(path: str) -> tuple[str, str] | None:
    """The folder of weights that a file is in, and the first 12 digits of its cell's key."""
    parts = path.split("/")
    named = _FOLDER.fullmatch(parts[1]) if len(parts) > 1 and parts[0] == MODELS else None
    return (f"{MODELS}/{parts[1]}", named[1]) if named else None


def models_of(paths: Iterable[str]) -> set[str]:
    """The folders of weights that files are in."""
    return {told[0] for path in paths if (told := model_of(path))}


def _file(folder: str, key: str) -> str:
    assert is_key(key), key
    return f"{folder}/{key}.json"
