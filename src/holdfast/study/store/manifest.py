"""The manifest of a cell, `cells/<key>.json`: what it made, with checksums, its own among them."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Final, cast

FORMAT: Final = 1
"""The version of a store's layout and of its manifests; a reader refuses another."""
_START: Final = b'{"sum": "'
_BODY: Final = len(_START) + 64
"""Where what the checksum is of begins: right behind it."""


@dataclass(frozen=True, kw_only=True)
class Sum:
    """What a file must be."""

    sha256: str
    bytes: int


def checksum(content: bytes) -> Sum:
    """Of what a file holds."""
    return Sum(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One finished cell."""

    key: str
    """The hash of all that decides its result: 64 hexadecimal digits."""
    about: dict[str, Any]
    """What the caller tells of it, as JSON."""
    files: dict[str, Sum] = field(default_factory=dict[str, Sum])
    """What it made, by path below the store's root."""
    failure: str | None = None
    """Why it failed, where it did; what failed is finished too."""
    log: str = ""
    """The tail of its log, where it failed and has no record to say so."""
    seconds: float | None = None
    """How long it took."""
    dropped: bool = False
    """Whether the weights that `files` names were removed on purpose."""
    format: int = FORMAT

    def to_bytes(self) -> bytes:
        """As one line of JSON that begins with the checksum of all that follows.

        Raises:
            ValueError: `about` holds a figure that is not finite.
        """
        body = b'", ' + json.dumps(dataclasses.asdict(self), allow_nan=False).encode()[1:] + b"\n"
        return _START + hashlib.sha256(body).hexdigest().encode() + body

    @classmethod
    def from_bytes(cls, content: bytes | None, key: str) -> "Entry | None":
        """The entry that `to_bytes` made; None where it is damaged, of another format or of another key."""
        if content is None or content[: len(_START)] != _START:
            return None
        if hashlib.sha256(content[_BODY:]).hexdigest().encode() != content[len(_START) : _BODY]:
            return None
        # What is as it was written needs no further checks, unless another version wrote it.
        values = cast("dict[str, Any]", json.loads(content))
        if values.get("format") != FORMAT or values.get("key") != key:
            return None
        del values["sum"]
        files = {path: Sum(**told) for path, told in values.pop("files").items()}
        return cls(files=files, **values)
