"""What every domain of written data does alike: splits of pairs and of exchanges, read once and hashed once."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Final, cast

from holdfast import plugins
from holdfast.config import canonical
from holdfast.domains import _prose
from holdfast.domains._files import state
from holdfast.domains._notice import Notice, show_once
from holdfast.errors import DataError
from holdfast.interfaces import Exchange, Framed, Framing, Pair


@dataclasses.dataclass(frozen=True, kw_only=True)
class Splits:
    """The splits of a domain, by name."""

    pairs: Mapping[str, Sequence[Pair]]
    exchanges: Mapping[str, Sequence[Exchange]] = dataclasses.field(default_factory=dict[str, Sequence[Exchange]])
    empty: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    """Why a split may have nothing in it, and what to do."""

    @cached_property
    def digest(self) -> str:
        """The hash of all of it."""
        found = hashlib.sha256()
        for name, rows in sorted({**self.pairs, **self.exchanges}.items()):
            found.update(f"{name}\n".encode())
            for row in rows:
                found.update(canonical(vars(row)).encode())
        return found.hexdigest()


_READ: Final[dict[Any, Splits]] = {}
"""What has been read, by all that decides it."""
_KEPT: Final = 4
_BESIDE: Final = ("judges", "max_new_tokens")
"""Fields that no split hangs on."""


class Written:
    """Half of a domain: the other half is its fields, what its splits are made of, and what it says of an answer."""

    NOTICE: ClassVar[Notice]
    """What a user is told before first use."""
    GROUPS: ClassVar[Mapping[str, Sequence[str]]] = {}
    """Categories that have a name together."""

    def splits_made(self) -> Splits:
        """The splits, read anew."""
        raise NotImplementedError

    def addresses(self) -> list[str]:
        """Where they are read from: what is local is looked at again when it changes."""
        raise NotImplementedError

    def made(self) -> Splits:
        """The splits; the same object as long as nothing has changed."""
        show_once(self.NOTICE)
        fields = (field.name for field in dataclasses.fields(cast(Any, self)))
        told = tuple(getattr(self, name) for name in fields if name not in _BESIDE)
        key = (plugins.name_of(self), told, state(*self.addresses()))
        if key not in _READ:
            while len(_READ) >= _KEPT:
                del _READ[next(iter(_READ))]
            _READ[key] = self.splits_made()
        return _READ[key]

    def splits(self) -> list[str]:
        """Those that hold something; one of pairs that is to be there, in any case."""
        made = self.made()
        paired = [name for name, rows in made.pairs.items() if rows or name in made.empty]
        return [*paired, *(name for name, rows in made.exchanges.items() if rows)]

    def has_pairs(self, split: str) -> bool:
        """Whether a split holds pairs."""
        return split in self.made().pairs

    def pairs(self, split: str) -> list[Pair]:
        """The pairs of a split.

        Raises:
            DataError: there is no such split, or nothing is in it.
        """
        return list(self._found(self.made().pairs, split, "harmful pairs"))

    def exchanges(self, split: str) -> list[Exchange]:
        """The harmless exchanges of a split; errors as for `pairs`."""
        return list(self._found(self.made().exchanges, split, "harmless exchanges"))

    def tasks(self) -> list[str]:
        """None."""
        return []

    def framings(self) -> Mapping[Framed, Framing]:
        """None of its own."""
        return {}

    def groups(self) -> Mapping[str, Sequence[str]]:
        """Categories that have a name together."""
        return self.GROUPS

    def fingerprint(self) -> str:
        """A hash of every pair and exchange as they are used, wherever they were read from."""
        return self.made().digest

    def harm(self, pair: Pair, answer: str) -> float | None:
        """Not scored without a judge."""
        return None

    def refused(self, asked: Pair | Exchange, answer: str) -> bool | None:
        """By phrases."""
        return _prose.refused(answer)

    def useful(self, exchange: Exchange, answer: str) -> float | None:
        """Not scored."""
        return None

    def fluent(self, answer: str) -> bool | None:
        """Whether an answer is made of words and does not loop."""
        return _prose.fluent(answer)

    def _found(self, there: Mapping[str, Sequence[Any]], split: str, what: str) -> Sequence[Any]:
        name = plugins.name_of(self)
        if split not in there:
            known = ", ".join(found for found, rows in there.items() if rows) or "none"
            raise DataError(f"split {split!r} of {name} has no {what}; those that have: {known}.")
        if not there[split]:
            why = self.made().empty.get(split, "no row is of its kind")
            raise DataError(f"split {split!r} of {name} is empty: {why}.")
        return there[split]
