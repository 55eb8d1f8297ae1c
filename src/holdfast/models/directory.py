"""What a model's directory holds, as one hash, so that the same model is known again wherever it lies."""

import functools
import hashlib
from pathlib import Path

from holdfast.config import content_hash


def directory_hash(place: Path) -> str:
    """A hash of a directory's files and of their names in it. A file is read again once it has changed."""
    # A card says nothing of what a model does.
    files = [path for path in sorted(place.rglob("*")) if path.is_file() and path.suffix != ".md"]
    return content_hash({str(path.relative_to(place)): _sha256(path, *_state(path)) for path in files})


def _state(path: Path) -> tuple[int, int]:
    told = path.stat()
    return told.st_mtime_ns, told.st_size


@functools.cache
def _sha256(path: Path, _changed: int, _size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
