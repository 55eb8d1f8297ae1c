"""Where a model descends from, as `holdfast.json` tells: what it was hardened from, and the eldest of all."""

import json
from collections.abc import Mapping
from typing import Any, cast

from holdfast.errors import ModelError
from holdfast.files import MANIFEST
from holdfast.models.naming import parts


def origin(name: str) -> Mapping[str, Any]:
    """What a model's `holdfast.json` says, seen to have the shape that Holdfast gives it.

    Returns:
        Its contents; nothing where there is none, and for a random initialisation, which nobody made.

    Raises:
        ModelError: it is not JSON, or not of that shape.
    """
    whose = parts(name)
    path = whose.place / MANIFEST
    if whose.random or not path.is_file():
        return {}
    try:
        told: Any = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read as JSON ({error}): remove it, or write the model again.") from None
    left: list[tuple[Any, bool]] = [(told, False)]
    while left:
        one, parent = left.pop()
        if fault := _fault(one, parent=parent):
            raise ModelError(f"{path} is not as Holdfast writes it: expected {fault}. Mend it, or remove it.")
        left += [(each, True) for each in one.get("parents") or []]
    return told


def hardened_from(name: str) -> Mapping[str, Any] | None:
    """What a hardened model says of the model that the first of its defences was applied to.

    Returns:
        `name` and `weights` of that model; None where no defence made this one, or nothing is told.

    Raises:
        ModelError: its `holdfast.json` is malformed.
    """
    told = origin(name)
    found: Mapping[str, Any] | None = None
    while (made := told.get("made_by")) and made["kind"] == "defence" and told.get("parents"):
        told = found = told["parents"][0]
    return found


def eldest(name: str) -> str:
    """The name of the first model of a line, whatever was done since; its own where nothing is told.

    Raises:
        ModelError: its `holdfast.json` is malformed.
    """
    told = origin(name)
    while parents := told.get("parents"):
        told = parents[0]
        name = told["name"]
    return name


def is_there(name: str, weights: str | None) -> bool:
    """Whether a model of that name is on this machine, and is the one of these weights as far as that is told.

    Raises:
        ModelError: its `holdfast.json` is malformed.
    """
    if not (parts(name).place / "config.json").is_file():
        return False
    return origin(name).get("weights") in {None, weights}


def _fault(told: Any, *, parent: bool) -> str | None:
    """What was expected of one model's entry, and is not so; None where all is."""
    if not isinstance(told, dict):
        return "an object"
    entry = cast("dict[str, Any]", told)
    if parent and not (isinstance(entry.get("name"), str) and entry["name"]):
        return "`name`, a text, of each of `parents`"
    if not isinstance(entry.get("weights"), str | None):
        return "`weights` to be a text, or null"
    if not isinstance(entry.get("parents"), list | None):
        return "`parents` to be a list of objects"
    made: Any = entry.get("made_by")
    if made is None:
        return None
    if not isinstance(made, dict):
        return "`made_by` to be an object, or null"
    by = cast("dict[str, Any]", made)
    if not (isinstance(by.get("kind"), str) and isinstance(by.get("name"), str)):
        return "`kind` and `name`, both texts, in `made_by`"
    return None if isinstance(by.get("settings"), dict) else "`settings`, an object, in `made_by`"
