"""A store's files on a disk of this machine, or one that is mounted here."""

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import StoreError
from holdfast.study.store.explain import explain, explained
from holdfast.study.store.layout import SCRATCH, STORE
from holdfast.study.store.place import Found
from holdfast.study.store.processes import Process

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}


@dataclass
class LocalPlace:
    """Files below a folder. Each is written beside the others, under `scratch/`, and then renamed."""

    root: Path

    @property
    def scratch(self) -> Path:
        """On the same disk, so that what is made there only has to be renamed."""
        return self.root / SCRATCH

    def make(self, needed: int) -> None:
        """Make the root, and write and remove a file there."""
        there = next(place for place in (self.root, *self.root.parents) if place.exists())
        with explained(str(self.root), "written"):
            free = shutil.disk_usage(there).free
            if free < needed:
                raise StoreError(
                    f"no disk space for {self.root}: {needed / 1e6:.0f} MB needed, {free / 1e6:.1f} MB free; free "
                    "some, or choose another store."
                )
            self.scratch.mkdir(parents=True, exist_ok=True)
            self._staged(b"\n" * 4096, durable=True).unlink()

    def read(self, path: str) -> bytes | None:
        """What a file holds."""
        with explained(str(self.root / path), "read"), suppress(FileNotFoundError, NotADirectoryError):
            # Not `Path.read_bytes`: a thousand records are read this way, and this takes half the time.
            handle = os.open(f"{self.root}/{path}", os.O_RDONLY)
            with os.fdopen(handle, "rb", buffering=0) as file:
                return file.read()
        return None

    def read_many(self, paths: Collection[str]) -> dict[str, bytes]:
        """One after the other: a local disk is quick."""
        return {path: content for path in paths if (content := self.read(path)) is not None}

    def sizes(self, paths: Collection[str]) -> dict[str, int]:
        """The sizes of regular files."""
        found: dict[str, int] = {}
        for path in paths:
            with explained(str(self.root / path), "read"), suppress(FileNotFoundError, NotADirectoryError):
                about = (self.root / path).stat()
                if stat.S_ISREG(about.st_mode):
                    found[path] = about.st_size
        return found

    def files(self, folder: str) -> dict[str, Found]:
        """Every file below a folder; links are not followed."""
        found: dict[str, Found] = {}

        def failed(error: OSError) -> None:
            if not isinstance(error, FileNotFoundError):
                raise explain(error, str(self.root / folder), "read")

        for parent, _, names in os.walk(self.root / folder, onerror=failed):
            below = Path(parent).relative_to(self.root).as_posix()
            for name in names:
                with suppress(FileNotFoundError):
                    about = os.lstat(f"{parent}/{name}")
                    found[f"{below}/{name}"] = Found(bytes=about.st_size, modified=about.st_mtime)
        return found

    def write(self, contents: Mapping[str, bytes], *, durable: bool = True) -> None:
        """All are on the disk before the first gets its name."""
        staged: dict[str, Path] = {}
        where = str(self.root / next(iter(contents)))
        with explained(where, "written"):
            try:
                for path, content in contents.items():
                    staged[path] = self._staged(content, durable=durable)
                with self.locked() if len(contents) > 1 else nullcontext():
                    for path in contents:
                        self._rename(staged[path], self.root / path)
            finally:
                for left in staged.values():
                    left.unlink(missing_ok=True)

    def create(self, path: str, content: bytes) -> bool:
        """By a hard link, which exists whole or not at all; where there are none, under the lock."""
        with explained(str(self.root / path), "written"):
            staged = self._staged(content, durable=False)
            target = self.root / path
            try:
                target.parent.mkdir(exist_ok=True)
                os.link(staged, target)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                with self.locked():
                    if target.exists():
                        return False
                    staged.replace(target)
            finally:
                staged.unlink(missing_ok=True)
        return True

    def seize(self, path: str, content: bytes) -> bool:
        """The lock keeps everybody else out."""
        self.write({path: content}, durable=False)
        return True

    def remove(self, path: str) -> None:
        """Remove a file."""
        with explained(str(self.root / path), "removed"), suppress(FileNotFoundError, NotADirectoryError):
            (self.root / path).unlink()

    def remove_folder(self, path: str) -> None:
        """It gets a temporary name first, so that half of it is never there."""
        aside = self.scratch / Process.this().scratch_name()
        with explained(str(self.root / path), "removed"):
            if (self.root / path).exists():
                self._rename(self.root / path, aside)
                shutil.rmtree(aside, ignore_errors=True)

    def keep(self, folder: Path, path: str) -> None:
        """Move a folder from `scratch` to its place, instead of what may be there; to be called while `locked`."""
        with explained(str(self.root / path), "written"):
            self.remove_folder(path)
            self._rename(folder, self.root / path)

    @contextmanager
    def locked(self) -> Generator[None]:
        """By `flock` on the store's own file: the lock goes with the process, however it ends."""
        with explained(str(self.root / STORE), "written"):
            handle = os.open(self.root / STORE, os.O_RDWR)
        try:
            # A disk that knows no locks is used without.
            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _staged(self, content: bytes, *, durable: bool) -> Path:
        """A temporary file with this content."""
        path = self.scratch / Process.this().scratch_name()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            handle = os.open(path, flags, 0o666)
        except FileNotFoundError:
            self.scratch.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, flags, 0o666)
        try:
            with os.fdopen(handle, "wb", buffering=0) as file:
                rest = memoryview(content)
                while rest:
                    rest = rest[file.write(rest) :]
                if durable:
                    os.fsync(handle)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return path

    @staticmethod
    def _rename(old: Path, new: Path) -> None:
        try:
            old.replace(new)
        except FileNotFoundError:
            new.parent.mkdir(parents=True, exist_ok=True)
            old.replace(new)


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk before going on, where its file system can promise that."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}:
            raise
    finally:
        os.close(handle)
