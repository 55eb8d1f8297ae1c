"""A folder of weights and its checksums."""

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from holdfast.errors import StoreError
from holdfast.study.store.explain import explained
from holdfast.study.store.layout import CARD, models_of
from holdfast.study.store.local import sync
from holdfast.study.store.manifest import Sum

_THREADS = min(4, os.cpu_count() or 1)
"""hashlib lets others run while it works, so large weights are read by several."""


def sums(folder: Path) -> dict[str, Sum]:
    """The checksum of every file below a folder, by its path there; hidden ones are left out.

    Raises:
        StoreError: a file cannot be read.
    """
    with explained(str(folder), "read"), ThreadPoolExecutor(_THREADS) as pool:
        names = _names(folder)
        return dict(zip(names, pool.map(_sum, [folder / name for name in names]), strict=True))


def flushed(folder: Path) -> None:
    """Have a folder and all that is in it on the disk before going on."""
    with explained(str(folder), "written"):
        for path in [*folder.rglob("*"), folder]:
            sync(path)


def fault(root: Path, expected: Mapping[str, Sum]) -> str | None:
    """What is wrong with a folder of weights, the first thing found; None where nothing is.

    A card may differ: a report writes its verdict there. A file that nobody wrote down is wrong too, because
    what loads a model would read it.

    Args:
        root: of a store, or a folder laid out like one.
        expected: what must be there, by path below the root; all in one folder of weights.
    """
    (folder,) = models_of(expected)
    try:
        there = {f"{folder}/{name}": found for name, found in sums(root / folder).items()}
    except StoreError:
        if all((root / path).exists() for path in expected):
            raise
        return f"{root / folder} was removed while it was read"
    for path, wanted in expected.items():
        if path.endswith(f"/{CARD}"):
            continue
        found = there.get(path)
        if found is None:
            return f"{root / path} is missing"
        if found.bytes != wanted.bytes:
            return f"{root / path} has {found.bytes} bytes and not the {wanted.bytes} that were written"
        if found != wanted:
            return f"{root / path} has other bytes than were written"
    extra = [path for path in there if path not in expected and not path.endswith(f"/{CARD}")]
    return f"{root / extra[0]} was put there by somebody else" if extra else None


def _names(folder: Path) -> list[str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder) for path in paths]
    return [name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts)]


def _sum(path: Path) -> Sum:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Sum(sha256=digest, bytes=file.tell())
