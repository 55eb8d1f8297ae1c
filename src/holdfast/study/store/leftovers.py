"""What the dead have left in a store: temporary folders, claims, weights on their way out."""

import shutil
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from holdfast.study.store import claims, layout
from holdfast.study.store.explain import explained
from holdfast.study.store.manifest import Entry
from holdfast.study.store.place import Place
from holdfast.study.store.processes import Process

_FORGOTTEN: Final = 24 * 3600.0
"""Seconds after which scratch that another machine did not touch is taken for a dead process's."""


def sweep(place: Place) -> None:
    """Remove scratch of the dead, dead claims, and weights whose removal was interrupted."""
    for path in dead_scratch(place):
        remove(path)
    claims.sweep(place)
    drop_again(place, busy=claims.claims_at(place))


def dead_scratch(place: Place) -> list[Path]:
    """What in scratch belongs to a process that is gone.

    On this machine it is asked whether the process lives; of others', what nobody touched for a day.
    """
    root = place.scratch
    with explained(str(root), "read"):
        try:
            return [path for path in sorted(root.iterdir()) if _is_dead(path)]
        except FileNotFoundError:
            return []


def remove(path: Path) -> None:
    """Remove a file or a folder that may be gone already."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with explained(str(path), "removed"):
            path.unlink(missing_ok=True)


def size(path: Path) -> int:
    """The bytes of a file, or of all below a folder."""
    found = 0
    for part in [path, *path.rglob("*")]:
        with suppress(FileNotFoundError):
            found += part.lstat().st_size if not part.is_dir() else 0
    return found


def folders(place: Place, key: str) -> list[str]:
    """The folders of a cell's weights, by their names alone."""
    told = {layout.model_of(path) for path in place.files(layout.MODELS)}
    return sorted(folder for folder, short in filter(None, told) if short == key[:12])


def drop_again(place: Place, *, busy: Collection[str]) -> None:
    """Remove weights that their manifest says are dropped: whoever dropped them was stopped in between.

    Args:
        place: of the store.
        busy: cells that are left alone: somebody may just be making their weights anew.
    """
    found = {told for path in place.files(layout.MODELS) if (told := layout.model_of(path))}
    if not found:
        return
    keys = [key for path in place.files(layout.CELLS) if (key := layout.key_of(path))]
    for folder, short in sorted(found):
        for key in keys:
            if key.startswith(short) and key not in busy:
                _drop_again(place, key, folder)


def _drop_again(place: Place, key: str, folder: str) -> None:
    with place.locked():
        entry = Entry.from_bytes(place.read(layout.cell(key)), key)
        if entry is not None and entry.dropped and any(path.startswith(f"{folder}/") for path in entry.files):
            place.remove_folder(folder)


def _is_dead(path: Path) -> bool:
    owner = Process.of_scratch(path.name)
    alive = owner.alive() if owner else None
    if alive is not None:
        return not alive
    touched = 0.0
    for part in [path, *path.rglob("*")]:
        with suppress(FileNotFoundError):
            touched = max(touched, part.lstat().st_mtime)
    return time.time() - touched > _FORGOTTEN
