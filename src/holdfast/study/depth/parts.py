"""Parts of a look at depth, each kept in a file of its own as soon as it is there, so that a second start goes on."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, TypeVar

import pydantic

from holdfast.files import write_bytes

FOLDER: Final = ".depth-parts"
"""Within the folder that a look is written to: a name that no folder of a user's has, since it is removed."""
Part = TypeVar("Part")


class Parts:
    """Parts of one look, made once each."""

    def __init__(self, folder: Path | None, whole: Mapping[str, Any], told: Callable[[int], None]):
        """Open a folder of parts.

        Args:
            folder: where they are kept; None keeps nothing.
            whole: what every part depends on; parts of anything else stay unread.
            told: is told after each part how many are there.
        """
        self._folder = folder
        self._whole = {**whole, "holdfast": version("holdfast")}
        self._told = told
        self._done = 0

    def once(self, kind: type[Part], which: Mapping[str, Any], make: Callable[[], Part]) -> Part:
        """Read a part, or make it and keep it.

        Args:
            kind: a dataclass.
            which: tells it from the other parts.
            make: makes it.

        Raises:
            OutputError: it cannot be written.
        """
        place = self._place(which)
        found = _read(kind, place)
        if found is None:
            found = make()
            if place:
                write_bytes(place, pydantic.TypeAdapter(kind).dump_json(found))
        self._done += 1
        self._told(self._done)
        return found

    def _place(self, which: Mapping[str, Any]) -> Path | None:
        key = hashlib.sha256(json.dumps({**self._whole, **which}, sort_keys=True).encode()).hexdigest()
        return self._folder and self._folder / f"{key[:32]}.json"


def forget(folder: Path) -> None:
    """Remove the parts in a folder, once what they are parts of is there."""
    shutil.rmtree(folder, ignore_errors=True)


def _read(kind: type[Part], place: Path | None) -> Part | None:
    """What was kept, if it is whole."""
    try:
        return pydantic.TypeAdapter(kind).validate_json(place.read_bytes()) if place else None
    except (OSError, ValueError):
        return None
