"""Which local files hold a split of a data set: a copy of what the hub has, or the like in any of its formats."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from holdfast.errors import DataError

FORMATS: Final[Mapping[str, str]] = {"json": "json", "jsonl": "json", "csv": "csv", "parquet": "parquet"}
"""Builders of `datasets` by a file's ending, which .gz, .xz, .zst or .bz2 may follow, but for parquet."""
_PACKED: Final = frozenset({"gz", "xz", "zst", "bz2"})
_WORD: Final = re.compile(r"[^A-Za-z0-9]+")


def format_of(file: str) -> str | None:
    """The builder for a file, by its name; None where it is no data file."""
    endings = file.lower().split("?")[0].split(".")[1:]
    if endings and endings[-1] in _PACKED:
        endings.pop()
    return FORMATS.get(endings[-1]) if endings else None


def files_of(place: Path, names: Sequence[str], *, never: Sequence[str] = ()) -> list[Path]:
    """The files of a split.

    Args:
        place: a file, which is then the split whatever it is called; or a folder, searched with all below it.
        names: of the split, the best first. A file is the split's where all words of a name stand in the file's path:
            `30k_train` is 30k_train.jsonl, and round0/30k/train.jsonl.gz as well; an empty name is every file.
        never: words that files of other splits have, but for those of the name.

    Raises:
        DataError: no file there is the split's; the message names those that are there.
    """
    if place.is_file():
        return [place]
    there = [path for path in sorted(place.rglob("*")) if path.is_file() and format_of(path.name)]
    words = {path: _words(str(path.relative_to(place))) for path in there}
    for name in names:
        wanted = _words(name)
        found = [path for path in there if wanted <= words[path] and not words[path] & (_words(*never) - wanted)]
        if found:
            return found
    known = ", ".join(str(path.relative_to(place)) for path in there[:12]) or f"no file of {', '.join(FORMATS)}"
    raise DataError(f"{place} has no file of split {names[0]!r}, but {known}: call one {names[0]}.jsonl, for example.")


def _words(*texts: str) -> set[str]:
    return {word.lower() for text in texts for word in _WORD.split(text) if word}


def state(*addresses: str) -> tuple[tuple[str, int, int], ...]:
    """What changes when local files do: path, time and size of every data file; nothing of what is elsewhere."""
    found: list[tuple[str, int, int]] = []
    for place in (Path(address).expanduser() for address in addresses if address):
        files = sorted(place.rglob("*")) if place.is_dir() else [place] if place.is_file() else []
        for path in files:
            if path.is_file() and format_of(path.name):
                told = path.stat()
                found.append((str(path), told.st_mtime_ns, told.st_size))
    return tuple(found)
