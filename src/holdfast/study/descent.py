"""Where a model descends from, as `holdfast.json` tells: what it was hardened from, and the eldest of all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.models.organisms import ORGANISMS
from holdfast.study.fingerprint import told_origin


def hardened_from(name: str) -> Mapping[str, Any] | None:
    """What a hardened model says of the model that the first of its defences was applied to.

    Returns:
        `name` and `weights` of that model; None where no defence made this one, or nothing is told.
    """
    told: Mapping[str, Any] = told_origin(name)
    found: Mapping[str, Any] | None = None
    while (made := told.get("made_by")) and made.get("kind") == "defence" and told.get("parents"):
        told = found = told["parents"][0]
    return found


def eldest(name: str) -> str:
    """The name of the first model of a line, whatever was done since; its own where nothing is told."""
    told: Mapping[str, Any] = told_origin(name)
    while parents := told.get("parents"):
        told = parents[0]
        name = str(told.get("name", name))
    return name


def is_there(name: str, weights: str | None) -> bool:
    """Whether a model of that name is on this machine, and is the one of these weights as far as that is told."""
    if name not in ORGANISMS and not (Path(name) / "config.json").is_file():
        return False
    return told_origin(name).get("weights") in {None, weights}
