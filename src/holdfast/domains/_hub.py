"""Rows of a data set, by `datasets`: from the hub, from a file on the web, or from local files of the same kind."""

import re
import sys
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from holdfast.domains._files import files_of, format_of
from holdfast.domains._notice import home
from holdfast.errors import DataError, InputError

_ID: Final = re.compile(r"[\w-][\w.-]*/[\w.-]+")
_CONVERTED: Final = "refs/convert/parquet"
"""Where the hub keeps its own conversion of a data set that is a script, which `datasets` runs no more."""
_BATCH: Final = 1000


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A split of a data set, wherever it is."""

    domain: str
    """Whose setting the address is, for what is told of errors."""
    setting: str = "source"
    """The setting."""
    address: str
    """A hub id (owner/name), a local folder or file, or the address of a file on the web."""
    split: str
    """As the hub calls it."""
    local: tuple[str, ...] = ()
    """As local files may be called besides."""
    never: tuple[str, ...] = ()
    """Words in the names of local files of other splits."""
    config: str | None = None
    revision: str = ""
    """A commit or branch of the hub; empty is the newest."""
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    """Files of the hub by split, where its repository does not say which is which."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the builder is told besides, as that a table has no header."""

    def __str__(self) -> str:
        """As an error names it."""
        return f"{self.address}, split {self.split}"


def batches(wanted: Wanted) -> Iterator[tuple[list[str], list[dict[str, Any]]]]:
    """The fields that there are, and the rows, up to a thousand at a time.

    Raises:
        DataError: it is not there, cannot be reached or read, is gated, or holds no row.
    """
    with tempfile.TemporaryDirectory(prefix="holdfast-") as folder, _muted(wanted):
        data = _opened(wanted, folder)
        if not len(data):
            raise DataError(f"{wanted} holds no row.")
        for table in data.with_format("arrow").iter(_BATCH):
            yield data.column_names, table.to_pylist()


def _opened(wanted: Wanted, folder: str) -> Any:
    """The data set, memory-mapped; what is made of local files lies in `folder`."""
    place = Path(wanted.address).expanduser()
    if place.exists():
        found = files_of(place, (wanted.split, *wanted.local), never=wanted.never)
        return _loaded(wanted, found, folder)
    if wanted.address.startswith(("https://", "http://")):
        return _loaded(wanted, [_downloaded(wanted)], folder)
    if _ID.fullmatch(wanted.address):
        return _from_hub(wanted)
    raise DataError(f"there is no {place}: give a folder, a file, or a hub id (owner/name).")


def _loaded(wanted: Wanted, files: Sequence[Path], folder: str) -> Any:
    """Local files of one format."""
    import datasets

    formats = {format_of(path.name) for path in files} - {None}
    if len(formats) != 1:
        raise DataError(f"{wanted.address} is to be of one format (jsonl, json, csv, parquet), not {len(formats)}.")
    (builder,) = formats
    told = wanted.options if builder == "csv" else {}
    try:
        return datasets.load_dataset(
            str(builder), data_files=[str(path) for path in files], split="train", cache_dir=folder, **told
        )
    except StopIteration:
        raise DataError(f"{wanted} holds no row.") from None
    except Exception as error:
        raise DataError(f"{wanted.address} cannot be read: {_reason(error)}.") from error


def _from_hub(wanted: Wanted) -> Any:
    try:
        return _asked_for(wanted, wanted.revision)
    except InputError:
        raise
    except Exception as error:
        raise _explained(wanted, error) from error


def _asked_for(wanted: Wanted, revision: str) -> Any:
    import datasets

    try:
        return datasets.load_dataset(
            wanted.address,
            wanted.config,
            data_files=dict(wanted.files) or None,
            split=wanted.split,
            revision=revision or None,
            **wanted.options,
        )
    except RuntimeError as error:
        if "scripts are no longer supported" in str(error) and not revision:
            return _asked_for(wanted, _CONVERTED)
        raise


def _downloaded(wanted: Wanted) -> Path:
    """A file of the web, kept beside the hub's cache; an address that is there is not asked again."""
    import fsspec

    kept = {"cache_storage": str(home() / "files"), "same_names": False}
    try:
        found = fsspec.open_local(f"filecache::{wanted.address}", filecache=kept)
    except Exception as error:
        raise _explained(wanted, error) from error
    return Path(str(found))


def _explained(wanted: Wanted, error: Exception) -> DataError:
    """What cannot be had, why, and what to do."""
    page = f"https://huggingface.co/datasets/{wanted.address}"
    local = f"{wanted.domain}:{wanted.setting}=DIR"
    said = str(error)
    if "gated" in said.casefold():
        why = f"is gated: ask for access at {page}, log in by `hf auth login`, or"
    elif isinstance(error, OSError | ConnectionError) and not isinstance(error, FileNotFoundError):
        why = "is not on this machine, and cannot be reached from it: where there is a network,"
        if _ID.fullmatch(wanted.address):
            why += f" `hf download --repo-type dataset {wanted.address} --local-dir DIR`;"
    else:
        why = f"cannot be read: {_reason(error)};"
    return DataError(f"{wanted} {why} give local files by `{local}`.")


def _reason(error: Exception) -> str:
    """The first line of what was said, by the error beneath where that says more."""
    beneath = error.__cause__ or error
    return (str(beneath).strip() or type(beneath).__name__).splitlines()[0].rstrip(".")


@contextmanager
def _muted(wanted: Wanted) -> Generator[None]:
    """No bars for local files, nor where nobody sees them; no log of what becomes an error here."""
    import datasets

    log, bars = datasets.logging, datasets.utils
    before, shown = log.get_verbosity(), not bars.are_progress_bars_disabled()
    log.set_verbosity(log.CRITICAL)
    if Path(wanted.address).exists() or not sys.stderr.isatty():
        bars.disable_progress_bars()
    try:
        yield
    finally:
        log.set_verbosity(before)
        if shown:
            bars.enable_progress_bars()
