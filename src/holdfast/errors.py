"""Every error Holdfast raises on purpose.

    HoldfastError
    ├── InputError          what the user gave cannot be used; the command line exits with 2
    │   ├── UnknownName     no plug-in, organism, split or field has that name
    │   ├── ConfigError     a field is unknown, or its value is out of range
    │   ├── DataError       a record of data is broken (file and line), or a split is empty
    │   ├── ModelError      weights, tokenizer or architecture cannot be used
    │   └── OutputError     the output exists already, or cannot be written
    │       └── StoreError  a store of results cannot be read or written
    │           └── Damaged an artefact in it is not what was written
    └── Diverged            a loss stopped being a finite number; the command line exits with 1

A message names the thing, says what was expected, and says what to do. `assert` is kept for
our own mistakes.
"""

import difflib
from collections.abc import Iterable
from typing import Any


class HoldfastError(Exception):
    """Anything Holdfast raises on purpose."""


class InputError(HoldfastError):
    """What the user gave cannot be used."""


class UnknownName(InputError):
    """No such name. The message suggests the nearest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]):
        known = sorted(known)
        self._given = (kind, name, known)
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        there = f"there are: {', '.join(known)}." if known else "there are none."
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else there
        super().__init__(f"unknown {kind} {name!r}: {hint}")

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker hands it to the main process.
        return type(self), self._given


class ConfigError(InputError):
    """A field is unknown, or its value is out of range."""


class DataError(InputError):
    """A record of data is broken, or a split is empty."""


class ModelError(InputError):
    """Weights, tokenizer or architecture cannot be used."""


class OutputError(InputError):
    """The output exists already, or cannot be written."""


class StoreError(OutputError):
    """A store of results cannot be read or written. What is finished there is not lost."""


class Damaged(StoreError):
    """An artefact in a store is not what was written there: it must be made anew."""

    def __init__(self, key: str, what: str):
        self.key = key
        """Of the cell that made it."""
        self.what = what
        super().__init__(f"{what}; what made it has to run again.")

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker hands it to the main process.
        return type(self), (self.key, self.what)


class Diverged(HoldfastError):
    """A loss or gradient stopped being a finite number. No weight has moved by it."""

    def __init__(self, step: int, terms: dict[str, float]):
        self.step = step
        self.terms = terms
        self.last_good: Any = None
        """The Model as it was after the last good step, where a run had one."""
        values = ", ".join(f"{name} = {value:.4g}" for name, value in terms.items())
        super().__init__(f"the loss stopped being finite at step {step + 1} ({values}); try a lower learning rate.")

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker hands it to the main process, without the model.
        return type(self), (self.step, self.terms)
