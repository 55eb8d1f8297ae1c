"""Writing files whole or not at all, and saying beforehand why one cannot be written."""

import errno
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Final

from holdfast.errors import OutputError

MANIFEST: Final = "holdfast.json"
"""What stands beside the weights of every model that Holdfast writes."""


def check_output(path: Path, *, overwrite: bool = False, needed: int = 0) -> None:
    """Raise OutputError where `path` cannot be written. To be called before the work that fills it.

    Args:
        path: a file or directory to be.
        overwrite: whether what is there may be replaced.
        needed: bytes that must be free.
    """
    if path.is_dir() and overwrite and any(path.iterdir()) and not (path / MANIFEST).is_file():
        raise OutputError(
            f"{path} holds no {MANIFEST}, so it is not a model of Holdfast's to overwrite: choose another."
        )
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists already: choose another place, or pass --overwrite.")
    parent = path.absolute().parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise OutputError(f"{path} cannot be written: {parent} is not a directory one may write to.")
    free = shutil.disk_usage(parent).free
    if free < needed:
        raise OutputError(
            f"no disk space for {path}: {needed / 1e6:.0f} MB needed, {free / 1e6:.0f} MB free; free some, "
            "or choose another disk."
        )


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all, as UTF-8."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.absolute().parent)
    except OSError as error:
        raise write_error(error, path) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(partial).chmod(0o644)
        Path(partial).replace(path)
    except OSError as error:
        raise write_error(error, path) from error
    finally:
        Path(partial).unlink(missing_ok=True)


def write_error(error: Exception, path: Path) -> OutputError:
    """What to tell of an error while writing `path`: the operating system's, or a library's that passes it on."""
    # safetensors tells the number in its message alone: "... (os error 28)".
    found = re.search(r"os error (\d+)", str(error))
    number = error.errno if isinstance(error, OSError) else int(found[1]) if found else None
    if number in {errno.ENOSPC, errno.EDQUOT}:
        return OutputError(f"the disk filled up while writing {path}; nothing was kept. Free some space.")
    return OutputError(f"{path} cannot be written: {os.strerror(number) if number else error}.")
