"""The values that a study is written with: their types, what short forms stand for, and what is refused."""

import itertools
import re
from collections.abc import Mapping
from math import isfinite
from typing import Annotated, Any, Final, Literal, TypeVar, cast

from pydantic import AfterValidator, BeforeValidator, Field

from holdfast.errors import UnknownName
from holdfast.study.mistakes import Misfit
from holdfast.study.spelling import spelling

T = TypeVar("T")


def several(value: Any) -> bool:
    """Whether it is a list, or what Python has for one."""
    return isinstance(value, list | tuple | range)


def short_for(key: str) -> BeforeValidator:
    """A plain text stands for a mapping with that one key."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


def for_each_of(*keys: str) -> BeforeValidator:
    """A plain list stands for a mapping that has it under every key."""
    return BeforeValidator(lambda value: dict.fromkeys(keys, value) if several(value) else value)


def _plain(value: Any, *within: str | int) -> Any:
    """A setting as JSON would give it back, so that equal settings have equal hashes."""
    if isinstance(value, float) and isfinite(value):
        return float(value)  # numpy's, too
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {key: _plain(part, *within, key) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, *within, at) for at, part in enumerate(value)]
    raise Misfit(f"{value!r} is no setting: expected a finite number, text, true, false, null or a list.", *within)


def _listed(value: Any) -> Any:
    if isinstance(value, str):
        raise Misfit(f"expected a list: write [{value}].")
    return value


def distinct(values: tuple[T, ...]) -> tuple[T, ...]:
    """The values, none of which may be there twice."""
    for at, value in enumerate(values):
        if value in values[:at]:
            simple = isinstance(value, str | int)
            twice = f"{value!r} is given twice." if simple else f"the same stands at [{values.index(value)}]."
            raise Misfit(twice, at)
    return values


def _ascending(steps: tuple[int, ...]) -> tuple[int, ...]:
    for at, (below, above) in enumerate(itertools.pairwise(steps), start=1):
        if above <= below:
            raise Misfit(f"the rungs of a ladder ascend, and {above} stands after {below}.", at)
    return steps


def _spelt(value: Any) -> Any:
    """A mapping of `name` and `set` as the one text that names a domain with settings."""
    if not isinstance(value, Mapping):
        return value
    told = cast("Mapping[str, Any]", value)
    if unknown := [key for key in told if key not in ("name", "set")]:
        raise Misfit(str(UnknownName("key", str(unknown[0]), ["name", "set"])), unknown[0])
    if not isinstance(told.get("name"), str) or not isinstance(told.get("set", {}), Mapping):
        raise Misfit("expected a name, and a mapping of fields under set.")
    return spelling(told["name"], _plain(told.get("set", {}), "set"))


def _file_safe(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        raise Misfit(
            f"{name!r} is to name a folder: use letters, digits, '.', '_' and '-', a letter or digit first, "
            "and at most 100 of them."
        )
    return name


def _left_out(value: Any) -> Any:
    if value is None or value in ("one", "halves"):
        return value
    if isinstance(value, str):
        raise Misfit(str(UnknownName("leave_out", value, ["one", "halves", f"[{value}]"])))
    if not several(value) or not all(isinstance(name, str) for name in value):
        raise Misfit(f"expected one, halves or a list of categories, got {value!r}.")
    if not value:
        raise Misfit("expected at least one category.")
    return distinct(tuple(cast("list[str]", value)))


LISTED: Final = BeforeValidator(_listed)
"""A single text is no list."""
DISTINCT: Final = AfterValidator(distinct)
SOME: Final = Field(min_length=1)
PIPED: Final = BeforeValidator(lambda value: value if several(value) else (value,))
"""One thing stands for a list of it alone."""
Count = Annotated[int, Field(ge=0, strict=True)]
Positive = Annotated[float, Field(gt=0, strict=True)]
Name = Annotated[str, Field(min_length=1)]
FolderName = Annotated[str, AfterValidator(_file_safe)]
DomainName = Annotated[Name, BeforeValidator(_spelt)]
"""A domain's name or a directory, with settings where it has some: `beavertails:defence=1000`."""
Names = Annotated[tuple[Name, ...], LISTED, DISTINCT]
Draws = Annotated[tuple[Count, ...], SOME, DISTINCT]
Rungs = Annotated[tuple[Count, ...], SOME, AfterValidator(_ascending)]
Settings = Annotated[dict[str, Any], AfterValidator(_plain)]
Grid = Annotated[dict[str, list[Any]], AfterValidator(_plain)]
LeftOut = Annotated[Literal["one", "halves"] | tuple[str, ...] | None, BeforeValidator(_left_out)]
