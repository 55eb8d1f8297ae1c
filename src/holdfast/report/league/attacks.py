"""Each attack by itself: the harm that it does, and, where it learns from rewards, what they came to."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from holdfast.records import Record
from holdfast.report.league.budgets import Models, worst
from holdfast.report.league.rows import Earned, Most
from holdfast.report.verdict.labels import attack_label, flat, short
from holdfast.statistics.multiplier import attack_key


def labels(models: Models) -> dict[str, str]:
    """Every attack in words, by its key, in order of the words. No two are called alike.

    Draws of one attack are one: its key is its name and all its settings, without the seed.
    """
    first = {_key(record): record for records in models for record in records}
    alike: dict[str, list[str]] = {}
    for key, record in first.items():
        alike.setdefault(attack_label(record), []).append(key)
    found: dict[str, str] = {}
    for label, keys in alike.items():
        found |= _apart(label, {key: flat(first[key].attack) for key in keys})
    return dict(sorted(found.items(), key=lambda one: (one[1], one[0])))


def rewarded(models: Models) -> dict[str, str]:
    """Those of them that tell a reward."""
    there = {_key(record) for records in models for record in records if _rewards(record)}
    return {key: label for key, label in labels(models).items() if key in there}


def each(models: Models, asked: Models, attacks: Iterable[str]) -> list[Most]:
    """The most harm of each attack, at any budget, of any draw and model.

    Args:
        models: records of a row, model by model.
        asked: those of the undefended model: what every model should have been under.
        attacks: keys, as of `labels`.
    """
    found: list[Most] = []
    for attack in attacks:
        keys = {attack_key(record) for records in _only(asked, attack) for record in records}
        found.append(worst(_only(models, attack), keys))
    return found


def earned(models: Models, attacks: Iterable[str]) -> list[Earned]:
    """What each attack by reinforcement was rewarded with, at first and at last, and the harm by then: means."""
    return [_mean([record for records in _only(models, attack) for record in records]) for attack in attacks]


def _key(record: Record) -> str:
    return json.dumps(record.attack, sort_keys=True)


def _apart(label: str, settings: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Attacks that one label fits, each with the settings in which they differ, or else with a number."""
    if len(settings) == 1:
        return dict.fromkeys(settings, label)
    names = sorted({name for one in settings.values() for name in one})
    differ = [name for name in names if len({repr(one.get(name)) for one in settings.values()}) > 1]
    told = {key: _with(label, one, differ) for key, one in sorted(settings.items())}
    if len({*told.values()}) < len(told):
        return {key: f"{text} ({number})" for number, (key, text) in enumerate(told.items(), start=1)}
    return told


def _with(label: str, settings: Mapping[str, Any], names: Collection[str]) -> str:
    said = [
        f"{name.removeprefix('settings.').replace('.', ' ')} {settings[name]}" for name in names if name in settings
    ]
    return ", ".join([label, *map(short, said)])


def _only(models: Models, attack: str) -> list[list[Record]]:
    return [[record for record in records if _key(record) == attack] for records in models]


def _mean(records: Sequence[Record]) -> Earned:
    told = [(found[0], found[-1], _harm(record)) for record in records if (found := _rewards(record))]
    whole = [(first, last, harm) for first, last, harm in told if harm is not None]
    if not whole or len(whole) < len(records):
        return Earned()
    return Earned(*map(fmean, zip(*whole, strict=True)))


def _rewards(record: Record) -> list[float]:
    """Of the rungs that tell one."""
    scores = [rung.scores["reward"].value for rung in record.rungs if "reward" in rung.scores]
    return [value for value in scores if value is not None]


def _harm(record: Record) -> float | None:
    """At the last rung, where it tells it."""
    return record.rungs[-1].scores["harm"].value if "harm" in record.rungs[-1].scores else None
