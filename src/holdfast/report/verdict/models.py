"""Which model is which: known again by its weights and what made it, and called by what tells it from others."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from holdfast.records import Record
from holdfast.report.verdict.labels import model_label, rate, short

NOT_MADE: Final = "not made: "
"""What the weights of a model begin with here that no run came far enough to tell."""
UNMADE: Final = "its model could not be made: "
"""What a study's reason begins with for all that was to start from a model whose hardening failed."""


def known(records: Iterable[Record]) -> list[Record]:
    """Records, with those of runs that failed before the weights were known put to the model that they name.

    Where no run of a model got that far, its name stands for its weights: what could not be made was not robust.
    """
    listed = list(records)
    weights = {_named(record): record for record in listed if record.weights}
    bases = {record.model: record.weights for record in listed if record.role == "undefended" and record.weights}
    found: list[Record] = []
    for record in listed:
        if not record.weights:
            same = weights.get(_named(record))
            # Its name begins with that of the model it was to be made from.
            parent = bases.get(record.model.removesuffix(f"+{(record.defence or {}).get('name')}"))
            told = (same.weights, same.parent) if same else (f"{NOT_MADE}{_named(record)}", record.parent or parent)
            record = replace(record, weights=told[0], parent=told[1])
        found.append(record)
    return found


def _named(record: Record) -> str:
    """A model by all that a record says of it but its hash."""
    return json.dumps([record.role, record.model, record.defence], sort_keys=True)


def identity(record: Record) -> str:
    """A model by its weights and what made it: a defence that changes nothing gives every seed the same weights."""
    return json.dumps([record.weights, record.defence], sort_keys=True)


def recipe(record: Record) -> str:
    """How a model was hardened, and from what, whatever the seed."""
    return json.dumps([record.parent, *_made(record).values()], sort_keys=True)


def seed(record: Record) -> int:
    """That of the defence; of several, one after another, the last one's."""
    return int((record.defence or {}).get("seed") or 0)


def unmade(records: Sequence[Record]) -> str | None:
    """Why no run on a model came so far as to tell its weights, as a part of a sentence; None where one did.

    Args:
        records: all of that model.
    """
    if not records[0].weights.startswith(NOT_MADE):
        return None
    reasons = [record.failure.reason for record in records if record.failure]
    made = [reason.removeprefix(UNMADE) for reason in reasons if reason.startswith(UNMADE)]
    if made:
        return f"could not be made: {made[0].rstrip('.')}"
    return f"could not be made or loaded: {reasons[0].rstrip('.') if reasons else 'why was not told'}"


def ways(hardened: Sequence[Record]) -> list[str]:
    """What to call the way in which each was hardened: the model, and settings that tell it from others of that name.

    Args:
        hardened: a record of each model.
    """
    kinds = {recipe(record): record for record in hardened}
    flat = {kind: _flat(_made(record)) for kind, record in kinds.items()}
    called: dict[str, str] = {}
    for kind, record in kinds.items():
        name = model_label(record.model)
        others = [flat[other] for other, each in kinds.items() if model_label(each.model) == name]
        keys = sorted({key for other in others for key in other if any(each.get(key) != other[key] for each in others)})
        parts = [f"{key.rpartition('.')[2]} {_shown(key, flat[kind].get(key))}" for key in keys]
        plain = short(", ".join([name, *parts]), 2)
        # Made from two models of one name, they differ in nothing that is told.
        twins = sum(other.partition(" (")[0] == plain for other in called.values())
        called[kind] = f"{plain} ({twins + 1})" if twins else plain
    return [called[recipe(record)] for record in hardened]


def with_seeds(hardened: Sequence[Record], called: Sequence[str]) -> list[str]:
    """What to call each hardened model: with its seed where there are several made alike."""
    return [
        f"{name}, seed {seed(record)}" if called.count(name) > 1 else name
        for record, name in zip(hardened, called, strict=True)
    ]


def _made(record: Record) -> dict[str, Any]:
    """What made a model, but for the seed."""
    made = record.defence or {}
    return {key: made.get(key) for key in ("name", "settings", "domain", "data", "categories")}


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {name: value}
    found: dict[str, Any] = {}
    for key, inner in value.items():
        found |= _flat(inner, f"{name}.{key}" if name else str(key))
    return found


def _shown(key: str, value: Any) -> str:
    if key.endswith("learning_rate") and isinstance(value, float):
        return rate(value)
    if isinstance(value, list):
        return " ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else "none" if value is None else str(value)
