"""Where a store's files lie: what a local disk and a remote file system both do, by paths below the store's root."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file that is there."""

    bytes: int
    modified: float
    """Seconds since 1970, by the clock of whoever keeps it."""


class Place(Protocol):
    """Files by their path below the store's root, with slashes. Every error is a StoreError that says what to do."""

    @property
    def scratch(self) -> Path:
        """A folder of this machine for temporary files; on a local store's own disk."""
        ...

    def make(self, needed: int) -> None:
        """Make the root and see that one can write there, and that `needed` bytes are free."""
        ...

    def read(self, path: str) -> bytes | None:
        """What a file holds; None where there is no such file."""
        ...

    def read_many(self, paths: Collection[str]) -> dict[str, bytes]:
        """What those of the files that are there hold."""
        ...

    def sizes(self, paths: Collection[str]) -> dict[str, int]:
        """The bytes of those of the files that are there."""
        ...

    def files(self, folder: str) -> dict[str, Found]:
        """Every file below a folder; none where there is no such folder."""
        ...

    def write(self, contents: Mapping[str, bytes], *, durable: bool = True) -> None:
        """Write files in their order, each whole or not at all; durable ones reach the disk before they get a name."""
        ...

    def create(self, path: str, content: bytes) -> bool:
        """Write a small file unless there is one; whether it was written. Of two that try, one succeeds."""
        ...

    def seize(self, path: str, content: bytes) -> bool:
        """Replace a small file while `locked`; whether nobody else did at the same time."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file; it may be gone already."""
        ...

    def remove_folder(self, path: str) -> None:
        """Remove a folder with all in it; it may be gone already."""
        ...

    def locked(self) -> AbstractContextManager[None]:
        """Keep all others out who ask for this too, for milliseconds. On a remote place nobody is kept out."""
        ...
