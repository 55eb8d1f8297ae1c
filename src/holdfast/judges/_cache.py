"""Verdicts kept on disk, so that nothing is judged twice: one SQLite file for all runs of a user.

A verdict is found by a hash of who judged, question and answer; the answer stands for the model that gave it. Hashes
and numbers are all that is in the file: no text. Where it cannot be read or written, everything is judged anew.

The folder is `HOLDFAST_CACHE`; else `holdfast` in the user's cache. `HOLDFAST_CACHE=off` keeps nothing.
"""

import os
import sqlite3
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from holdfast.config import content_hash

Told = Iterable[tuple[int, float | None]]
"""Some verdicts, by which of the answers they are about."""

_FILE: Final = "verdicts.sqlite"
_PATIENCE: Final = 10.0
"""Seconds to wait for another process that writes."""
_MANY: Final = 500
"""Hashes looked up in one query; SQLite takes no more than 999 values in its older versions."""
_TABLE: Final = "CREATE TABLE IF NOT EXISTS verdicts (key BLOB PRIMARY KEY, harm REAL NOT NULL) WITHOUT ROWID"


def cached(
    about: Mapping[str, Any],
    asked: Sequence[tuple[str, str]],
    judge: Callable[[list[int]], Iterable[Told]],
) -> list[float | None]:
    """The verdict on each (question, answer), from the file where it is there, else from the judge, and then kept.

    Args:
        about: all that decides a verdict beside the two texts: the judge's name, its settings, its model's version.
        asked: the texts. The same two are judged once.
        judge: told which are to be judged, gives verdicts some at a time; each time they are kept. None is not kept.
    """
    keys = [bytes.fromhex(content_hash([about, *texts])) for texts in asked]
    known = _read(keys)
    first = {key: at for at, key in reversed(list(enumerate(keys))) if key not in known}
    found: dict[bytes, float | None] = dict(known)
    for some in judge(sorted(first.values())) if first else ():
        fresh = {keys[at]: verdict for at, verdict in some}
        found |= fresh
        _write([(key, verdict) for key, verdict in fresh.items() if verdict is not None])
    return [found.get(key) for key in keys]


def folder() -> Path | None:
    """The folder of the file of verdicts, in the user's cache as each system has one; None where nothing is kept.

    No data set lies there: what domains download is beside the hub's own cache (`HF_HOME`).
    """
    told = os.environ.get("HOLDFAST_CACHE", "")
    if told.strip().lower() in {"off", "0", "no", "none"}:
        return None
    if told:
        return Path(told).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "holdfast" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "holdfast"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "holdfast"


def _read(keys: Sequence[bytes]) -> dict[bytes, float]:
    found: dict[bytes, float] = {}
    with _opened() as file:
        if file is None:
            return found
        for first in range(0, len(keys), _MANY):
            some = keys[first : first + _MANY]
            marks = ",".join("?" * len(some))
            rows = file.execute(f"SELECT key, harm FROM verdicts WHERE key IN ({marks})", some)  # noqa: S608
            found |= dict(rows)
    return found


def _write(rows: Sequence[tuple[bytes, float]]) -> None:
    with _opened() as file:
        if file is not None and rows:
            with file:  # one short transaction
                file.executemany("INSERT OR REPLACE INTO verdicts VALUES (?, ?)", rows)


@contextmanager
def _opened() -> Generator[sqlite3.Connection | None]:
    """The file, ready for use by several processes at once; whatever is wrong with it is nobody's trouble."""
    file: sqlite3.Connection | None = None
    try:
        if (place := folder()) is not None:
            place.mkdir(parents=True, exist_ok=True)
            file = sqlite3.connect(place / _FILE, timeout=_PATIENCE)
            file.execute("PRAGMA journal_mode=WAL")
            file.execute("PRAGMA synchronous=NORMAL")
            file.execute(_TABLE)
    except (OSError, RuntimeError, sqlite3.Error):  # RuntimeError: there is no home
        if file is not None:
            file.close()
        file = None
    try:
        yield file
    except sqlite3.Error:
        pass
    finally:
        if file is not None:
            file.close()
