"""A domain with its settings as one text, wherever a domain is named.

    arcana
    beavertails:defence=1000,judges=classifier+rubric
    my-data:judges={"rubric":{"model":"gpt-4o-mini"}}
    beavertails:{"defence":1000}

A value is read as JSON where it is JSON, else as text, as `-s` of the command line has it.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from holdfast.config import canonical
from holdfast.errors import ConfigError


def spelt(text: str) -> tuple[str, dict[str, Any]]:
    """The name of a domain, or the directory, and its settings.

    Raises:
        ConfigError: what stands after the colon is no settings.
    """
    name, colon, rest = text.partition(":")
    if not colon or Path(text).is_dir():
        return text, {}
    if rest.startswith("{"):
        try:
            return name, json.loads(rest)
        except ValueError as error:
            raise ConfigError(f"domain {text!r}: what stands after the colon is no JSON: {error}.") from None
    given: dict[str, Any] = {}
    for part in _parts(rest):
        field, equals, value = part.partition("=")
        if not equals or not field:
            raise ConfigError(f"domain {text!r}: {part!r} is not FIELD=VALUE; write for example {name}:defence=1000.")
        given[field.strip()] = value_of(value)
    return name, given


def spelling(name: str, given: Mapping[str, Any]) -> str:
    """The one text for a name and settings. Within a setting order stays: the first of several judges decides."""
    fields = (f"{canonical(field)}:{_ordered(given[field])}" for field in sorted(given))
    return f"{name}:{{{','.join(fields)}}}" if given else name


def value_of(text: str) -> Any:
    """A value as JSON where it is JSON, else as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _ordered(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _parts(text: str) -> Iterator[str]:
    """What stands between commas, those within brackets and quotation marks left alone."""
    part, depth, quoted = "", 0, False
    for mark in text:
        quoted ^= mark == '"'
        depth += 0 if quoted else (mark in "[{") - (mark in "]}")
        if mark == "," and not depth and not quoted:
            yield part
            part = ""
        else:
            part += mark
    yield part
