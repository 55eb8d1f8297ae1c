"""What is told of a data set that cannot be had: why, and how to have it all the same."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from holdfast.domains._wanted import Wanted, is_id
from holdfast.errors import DataError

_COUNTED: Final = re.compile(r" in row \d+$")
"""What Arrow says of a block that it has read, counted from 0: not where it stands in the file."""


def unreadable(wanted: Wanted, error: Exception) -> DataError:
    """What cannot be had, why, and what to do."""
    from huggingface_hub import errors as hub

    page = f"https://huggingface.co/datasets/{wanted.address}"
    local = f"{wanted.domain}:{wanted.setting}=DIR"
    nowhere = FileNotFoundError | hub.RepositoryNotFoundError | hub.RevisionNotFoundError | hub.EntryNotFoundError
    missing = isinstance(error, nowhere) and not isinstance(error, hub.LocalEntryNotFoundError)
    if isinstance(error, hub.GatedRepoError) or "is a gated dataset" in str(error):
        why = f"is gated: ask for access at {page}, log in by `hf auth login`, or"
    elif isinstance(error, OSError) and not missing:
        why = "is not on this machine, and cannot be reached from it: where there is a network,"
        if is_id(wanted.address):
            why += f" `hf download --repo-type dataset {wanted.address} --local-dir DIR`;"
    else:
        why = f"cannot be read: {reason(error)};"
    return DataError(f"{wanted} {why} give local files by `{local}`.")


def reason(error: Exception) -> str:
    """The first line of what was said, by the error beneath where that says more."""
    beneath = error.__cause__ or error
    return _COUNTED.sub("", (str(beneath).strip() or type(beneath).__name__).splitlines()[0]).rstrip(".")


def broken_line(files: Sequence[Path]) -> str | None:
    """File and line of the first of JSON lines that is no object; None where all are, or they cannot be unpacked."""
    import fsspec

    for path in (path for path in files if ".jsonl" in path.name.lower()):
        try:
            with fsspec.open(str(path), "rb", compression="infer") as file:
                for number, line in enumerate(file, start=1):
                    if line.strip() and not _is_object(line):
                        return f"{path}:{number}"
        except Exception:  # it is not packed as its name says: the first error tells that
            return None
    return None


def _is_object(line: bytes) -> bool:
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict)
