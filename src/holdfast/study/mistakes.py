"""What is wrong with a study, and the way to it in the user's own terms: where a short form was written, in its."""

import dataclasses
import reprlib
from collections.abc import Mapping
from typing import Any, Final, cast

import pydantic

from holdfast.errors import ConfigError, UnknownName

Where = tuple[str | int, ...]
"""The way to a value in a study: ("attacks", 1, "set", "training.steps")."""
_SAID: Final = {
    "tuple_type": "expected a list",
    "list_type": "expected a list",
    "dict_type": "expected a mapping",
    "dataclass_type": "expected a mapping",
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "string_type": "expected text",
    "bool_type": "expected true or false",
}
_KEY: Final = "[key]"
"""How pydantic ends the way to a key of a mapping that is wrong, not its value."""


class StudyError(ConfigError):
    """A study cannot be run as it stands.

    Args:
        where: the way to what is wrong, short forms written out; empty where it is the study as a whole.
        problem: what is wrong there.
        written: the way in what the user wrote; else it is the same.
    """

    def __init__(self, where: Where, problem: str, written: Where | None = None):
        self.where = where
        self.problem = problem
        self.written = where if written is None else written
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.written)
        super().__init__(f"{place.removeprefix('.')}: {problem}" if place else problem)

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker hands it to the main process.
        return type(self), (self.where, self.problem, self.written)

    def told_by(self, values: Any) -> "StudyError":
        """The same error, with the way as these values have it."""
        return StudyError(self.where, self.problem, as_written(self.where, values))


class Misfit(ValueError):
    """What a validator refuses; `within` leads on from the field that it validates."""

    def __init__(self, problem: str, *within: str | int):
        self.within = within
        super().__init__(problem)


def as_written(where: Where, values: Any) -> Where:
    """A way as it is in values that may have short forms.

    Args:
        where: the way where all is written out: ("defences", 0, 0, "name").
        values: what was written: {"defences": ["repnoise"]}.

    Returns:
        The way without the parts that a short form leaves out: ("defences", 0). What is not in the values, because
        it is a default, ends as it is.
    """
    told: list[str | int] = []
    for number, part in enumerate(where):
        if dataclasses.is_dataclass(values):
            values = vars(values)
        if isinstance(values, Mapping) and isinstance(part, str):
            there = part in values
        elif isinstance(values, list | tuple | range) and isinstance(part, int):
            there = part < len(cast("list[Any]", values))
        else:
            continue
        if not there:
            return (*told, *where[number:])
        told.append(part)
        values = cast("Any", values)[part]
    return tuple(told)


def explained(
    error: pydantic.ValidationError, shapes: Mapping[str | int, type[Any]], values: Mapping[str, Any]
) -> StudyError:
    """The first thing wrong, with the way to it; a key that nobody knows goes before what it left missing.

    Args:
        error: of a study that could not be made.
        shapes: what each part of a study is made of, by its key; "" is the study itself.
        values: what it was to be made of.
    """
    told = error.errors(include_url=False)
    first = next((one for one in told if one["type"] == "unexpected_keyword_argument"), told[0])
    where, kind, cause = first["loc"], first["type"], first.get("ctx", {}).get("error")
    if kind == "unexpected_keyword_argument":
        shape = next((shapes[part] for part in reversed(where[:-1]) if part in shapes), shapes[""])
        known = [known.name for known in dataclasses.fields(shape)]
        unknown = str(UnknownName("key", str(where[-1]), known))
        problem = unknown.replace(f" {where[-1]!r}", "", 1)
    elif kind == "missing":
        where, problem = where[:-1], f"{where[-1]} is missing."
    elif isinstance(cause, Misfit):
        where, problem = (*where, *cause.within), str(cause)
    elif kind in {"too_short", "string_too_short"}:
        problem = "expected at least one." if kind == "too_short" else "expected some text."
    else:
        where = where[:-2] if where[-1] == _KEY else where
        said = _SAID.get(kind, first["msg"].replace("Input should be", "expected"))
        problem = f"{said}, got {reprlib.repr(first['input'])}."
    return StudyError(where, problem).told_by(values)
