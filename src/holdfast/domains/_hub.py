"""Rows of a data set, by `datasets`: from the hub, from a file on the web, or from local files of the same kind."""

import glob
import hashlib
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from holdfast.domains._files import FORMATS, files_of, format_of
from holdfast.domains._notice import home
from holdfast.domains._unreadable import broken_line, reason, unreadable
from holdfast.domains._wanted import Wanted, is_id, is_on_the_web
from holdfast.errors import DataError, InputError

_CONVERTED: Final = "refs/convert/parquet"
"""Where the hub keeps its own conversion of a data set that is a script, which `datasets` runs no more."""
_SCRIPT: Final = "scripts are no longer supported"
_PATTERNS: Final = [f"*.{ending}*" for ending in FORMATS]
_BATCH: Final = 1000


def batches(wanted: Wanted) -> Iterator[tuple[list[str], list[dict[str, Any]]]]:
    """The fields that there are, and the rows, up to a thousand at a time.

    Raises:
        DataError: it is not there, cannot be reached or read, is gated, or holds no row.
    """
    with tempfile.TemporaryDirectory(prefix="holdfast-") as folder, _muted(wanted):
        data = _opened(wanted, folder)
        if not len(data):
            raise DataError(f"{wanted} holds no row.")
        for at in range(0, len(data), _BATCH):
            yield data.column_names, _decoded(wanted, data, slice(at, min(at + _BATCH, len(data))))


def _decoded(wanted: Wanted, data: Any, there: slice) -> list[dict[str, Any]]:
    """Some rows. One that is no text is found by reading them one by one."""
    try:
        return _rows(data, there)
    except UnicodeDecodeError as error:
        for at in range(there.start, there.stop if there.stop - there.start > 1 else there.start):
            _decoded(wanted, data, slice(at, at + 1))
        raise DataError(f"{wanted}, row {there.stop} is not UTF-8: {error.reason}; convert it.") from error


def _rows(data: Any, there: slice) -> list[dict[str, Any]]:
    """By Arrow, many times as fast, unless a field is not of one type in all rows."""
    if "Json(" in str(data.features):
        columns = data[there]
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return data.with_format("arrow")[there].to_pylist()


def _opened(wanted: Wanted, folder: str) -> Any:
    """The data set, memory-mapped; what is made of files lies in `folder`."""
    place = Path(wanted.address).expanduser()
    if place.exists():
        return _loaded(wanted, _chosen(wanted, place), folder)
    if is_on_the_web(wanted.address):
        return _loaded(wanted, [_downloaded(wanted)], folder)
    if is_id(wanted.address):
        return _from_hub(wanted, folder)
    raise DataError(f"there is no {place}: give a folder, a file, or a hub id (owner/name).")


def _chosen(wanted: Wanted, place: Path) -> list[Path]:
    return files_of(place, wanted.local or (wanted.split,), never=wanted.never)


def _loaded(wanted: Wanted, files: Sequence[Path], folder: str) -> Any:
    """Files of one format."""
    import datasets

    formats = {format_of(path.name) for path in files} - {None}
    if len(formats) != 1:
        raise DataError(f"{wanted.address} is to be of one format ({', '.join(FORMATS)}), not {len(formats)}.")
    (builder,) = formats
    told: dict[str, Any] = _lines(wanted) if builder == "csv" and wanted.column else {}
    try:
        return datasets.load_dataset(
            str(builder), data_files=[glob.escape(str(path)) for path in files], split="train", cache_dir=folder, **told
        )
    except StopIteration:
        raise DataError(f"{wanted} holds no row.") from None
    except Exception as error:
        if "corresponds to no data" in str(error):
            raise DataError(f"{wanted} holds no row.") from None
        where = broken_line(files)
        raise DataError(f"{where or wanted.address} cannot be read: {reason(error)}.") from error


def _lines(wanted: Wanted) -> dict[str, Any]:
    """How a table of one column without a header is read: a line is a row whatever stands in it, quoted or not."""
    return {"names": [wanted.column], "header": None, "index_col": False, "sep": "\x1f", "keep_default_na": False}


def _from_hub(wanted: Wanted, folder: str) -> Any:
    """As the repository says what it has; where it does not, or cannot be asked, by the names of its files."""
    from huggingface_hub import hf_hub_download, snapshot_download

    told: dict[str, Any] = {"repo_type": "dataset", "revision": wanted.revision or None}
    try:
        if wanted.file:
            return _loaded(wanted, [Path(hf_hub_download(wanted.address, wanted.file, **told))], folder)
        return _asked_for(wanted, wanted.revision)
    except InputError:
        raise
    except Exception as error:
        if not (_is_script(error) or isinstance(error, ConnectionError)):
            raise unreadable(wanted, error) from error
        try:
            copy = snapshot_download(
                wanted.address, allow_patterns=_PATTERNS, local_files_only=not _is_script(error), **told
            )
            return _loaded(wanted, _chosen(wanted, Path(copy)), folder)
        except Exception:
            raise unreadable(wanted, error) from error


def _asked_for(wanted: Wanted, revision: str) -> Any:
    import datasets

    try:
        return datasets.load_dataset(wanted.address, wanted.config, split=wanted.split, revision=revision or None)
    except RuntimeError as error:
        if not _is_script(error) or revision:
            raise
    try:
        return _asked_for(wanted, _CONVERTED)
    except Exception as error:
        raise RuntimeError(f"{_SCRIPT}: {error}") from error


def _is_script(error: Exception) -> bool:
    """Whether a repository comes as a script that `datasets` runs no more."""
    return _SCRIPT in str(error).casefold()


def _downloaded(wanted: Wanted) -> Path:
    """A file of the web, kept beside the hub's cache; an address that is there is not asked again."""
    import fsspec

    folder = home() / "files" / hashlib.sha256(wanted.address.encode()).hexdigest()[:16]
    kept = {"cache_storage": str(folder), "same_names": True, "expiry_time": 0}
    try:
        found = fsspec.open_local(f"filecache::{wanted.address}", filecache=kept)
    except Exception as error:
        raise unreadable(wanted, error) from error
    return Path(str(found))


@contextmanager
def _muted(wanted: Wanted) -> Generator[None]:
    """No bars for local files, nor where nobody sees them; no log of what becomes an error here."""
    import datasets
    from huggingface_hub import utils as hub

    log, bars = datasets.logging, (datasets.utils, hub)
    before, shown = log.get_verbosity(), [one for one in bars if not one.are_progress_bars_disabled()]
    log.set_verbosity(log.CRITICAL)
    for one in shown if Path(wanted.address).exists() or not sys.stderr.isatty() else ():
        one.disable_progress_bars()
    try:
        yield
    finally:
        log.set_verbosity(before)
        for one in shown:
            one.enable_progress_bars()
