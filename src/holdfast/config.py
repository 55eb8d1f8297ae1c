"""Hyper-parameters: a frozen dataclass, its JSON, its canonical form and its hash.

pydantic does the checking: an unknown field, a wrong type or a value out of range is a
`ConfigError` that names the field, from Python and from the command line alike.
"""

import dataclasses
import difflib
import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, dataclass_transform

import pydantic
import pydantic.dataclasses

from holdfast.errors import ConfigError

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def config(cls: type[T]) -> type[T]:
    """Make `cls` a frozen, keyword-only dataclass that checks its values.

    A string under a field is its documentation. A value that does not fit raises ConfigError.
    """
    checked: Any = pydantic.dataclasses.dataclass(
        cls,
        frozen=True,
        kw_only=True,
        config=pydantic.ConfigDict(extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False),
    )
    init: Callable[..., None] = checked.__init__

    @functools.wraps(init)
    def told(self: object, **values: Any) -> None:
        try:
            init(self, **values)
        except pydantic.ValidationError as error:
            raise ConfigError(_explain(checked, error)) from None

    checked.__init__ = told
    return checked


def fields(cls: type[Any], prefix: str = "") -> dict[str, pydantic.fields.FieldInfo]:
    """Every field by its dotted name, those of nested configurations too."""
    found: dict[str, pydantic.fields.FieldInfo] = {}
    for name, info in getattr(cls, "__pydantic_fields__", {}).items():
        inner = info.annotation
        if hasattr(inner, "__pydantic_fields__"):
            found |= fields(inner, f"{prefix}{name}.")
        else:
            found[prefix + name] = info
    return found


def build(cls: type[T], settings: Mapping[str, Any]) -> T:
    """An instance from dotted names and values, as the command line gives them.

    Raises:
        ConfigError: a name is no field, or a value does not fit.
    """
    known = fields(cls)
    nested: dict[str, Any] = {}
    for name, value in settings.items():
        if name not in known:
            raise ConfigError(_unknown(cls, name))
        *path, last = name.split(".")
        place = nested
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return replace(cls(), nested)


def replace(instance: T, changes: Mapping[str, Any]) -> T:
    """A copy with some fields changed, nested ones too. What does not fit is told by its dotted name."""
    return type(instance)(**_merged(instance, changes))


def _merged(instance: Any, changes: Mapping[str, Any]) -> dict[str, Any]:
    values = {field.name: getattr(instance, field.name) for field in dataclasses.fields(instance)}
    for name, value in changes.items():
        nested = isinstance(value, dict) and dataclasses.is_dataclass(values.get(name))
        values[name] = _merged(values[name], value) if nested else value
    return values


def to_dict(instance: Any) -> dict[str, Any]:
    """The fields as JSON types."""
    return pydantic.TypeAdapter[Any](type(instance)).dump_python(instance, mode="json")


def to_flat(instance: Any) -> dict[str, Any]:
    """The fields as JSON types, nested ones by their dotted names."""
    flat: dict[str, Any] = {}
    for name in fields(type(instance)):
        value = to_dict(instance)
        for part in name.split("."):
            value = value[part]
        flat[name] = value
    return flat


def from_dict(cls: type[T], values: Mapping[str, Any]) -> T:
    """The instance that `to_dict` gave these values for."""
    return replace(cls(), values)


def canonical(value: Any) -> str:
    """One text for one value: sorted keys, no white space. What is hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def content_hash(value: Any) -> str:
    """The SHA-256 of a value's canonical form, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def _unknown(cls: type[Any], name: str) -> str:
    known = list(fields(cls))
    last = [field for field in known if field.rpartition(".")[2] == name.rpartition(".")[2]]
    near = last or difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    there = f"there are: {', '.join(known)}." if known else "it has none."
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else there
    return f"{cls.__name__} has no field {name!r}: {hint}"


def _explain(cls: type[Any], error: pydantic.ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
        return _unknown(cls, name)
    message = first["msg"].removeprefix("Value error, ")
    # What __post_init__ says names its values itself.
    got = "" if first["type"] == "value_error" else f", got {first['input']!r}"
    return f"{cls.__name__}: {name + ': ' if name else ''}{message[0].lower() + message[1:]}{got}."
