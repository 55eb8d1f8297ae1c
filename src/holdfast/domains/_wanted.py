"""Which rows a domain wants: a split of a data set, wherever somebody has it."""

import re
from dataclasses import dataclass
from typing import Final

_ID: Final = re.compile(r"[\w-][\w.-]*/[\w.-]+")


def is_id(address: str) -> bool:
    """Whether an address is that of a repository on the hub: owner/name."""
    return _ID.fullmatch(address) is not None


def is_on_the_web(address: str) -> bool:
    """Whether an address is that of one file anywhere."""
    return address.startswith(("https://", "http://"))


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
    """As local files may be called, the best first; else as the hub calls it."""
    never: tuple[str, ...] = ()
    """Words in the names of local files of other splits."""
    config: str | None = None
    revision: str = ""
    """A commit or branch of the hub; empty is the newest."""
    file: str = ""
    """The split's file on the hub, where the repository does not say which it is."""
    column: str = ""
    """The one of a table that has no header."""

    def __str__(self) -> str:
        """As an error names it."""
        return f"{self.address}, split {self.split}"
