"""New attacks and new models put on a scale that is there, by the few of its cells that they have."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from holdfast.errors import DataError
from holdfast.report.scale.cells import Cell, Cells
from holdfast.report.scale.found import Durability, Durable, Strong
from holdfast.statistics.scale.bound import bound
from holdfast.statistics.scale.placed import place_item, place_subject
from holdfast.statistics.scale.scores import scores


@dataclass(frozen=True, kw_only=True)
class Onto:
    """What was put on a scale."""

    models: list[Durable]
    attacks: list[Strong]
    apart: list[str]
    """New ones that have met nothing with a place on it."""


def onto(scale: Durability, given: Cells) -> Onto:
    """Place every model and attack of the cells that the scale does not have; nothing on it moves.

    Args:
        scale: on which models and attacks are found again by what they are called.
        given: cells of the same domain.

    Raises:
        DataError: they are of another domain, or nothing in them is new.
    """
    if given.domain != scale.domain:
        raise DataError(f"the records are on {given.domain}, the scale is of {scale.domain}: they share no scale.")
    durable = {one.model: one.durability for one in scale.models if one.durability is not None}
    strong = {one.attack: one for one in scale.attacks if one.strength is not None}
    known = {one.model for one in scale.models} | {one.attack for one in scale.attacks}
    models: list[Durable] = []
    attacks: list[Strong] = []
    apart: list[str] = []
    for name in _new(known, [cell.attack for cell in given.cells]):
        met = [cell for cell in given.cells if cell.attack == name and cell.model in durable]
        if met:
            attacks.append(_attack(name, met, [durable[cell.model] for cell in met], scale))
        else:
            apart.append(name)
    for name in _new(known, [cell.model for cell in given.cells]):
        met = [cell for cell in given.cells if cell.model == name and cell.attack in strong]
        if met:
            models.append(_model(name, met, [strong[cell.attack] for cell in met], scale))
        else:
            apart.append(name)
    if not (models or attacks or apart):
        raise DataError("every model and every attack of these records is on the scale: fit it anew with their cells.")
    return Onto(models=models, attacks=attacks, apart=apart)


def _new(known: set[str], names: Sequence[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name not in known]


def _attack(name: str, met: Sequence[Cell], durable: Sequence[float | None], scale: Durability) -> Strong:
    ability, kept, noise = np.array(durable, dtype=np.float64), _kept(met), _noise(met)
    made = Strong(attack=name, cells=len(met))
    if _all(met, 0.0):
        # Whose slope is not known: the anchor's is taken.
        high = bound(np.ones(len(met)), -ability, kept, noise)
        return replace(made, high=None if high is None else -high)
    if _all(met, 1.0):
        return replace(made, low=bound(np.ones(len(met)), ability, 1 - kept, noise))
    slopes = np.array([one.slope for one in scale.attacks if one.slope is not None])
    found = place_item(ability, kept, slopes, scale.error)
    return replace(made, strength=found.place, low=found.low, high=found.high, slope=found.slope)


def _model(name: str, met: Sequence[Cell], strong: Sequence[Strong], scale: Durability) -> Durable:
    slope = np.array([one.slope for one in strong], dtype=np.float64)
    at = np.array([one.strength for one in strong], dtype=np.float64)
    made = Durable(model=name, role=met[0].role, cells=len(met))
    if _all(met, 0.0):
        return replace(made, low=bound(slope, at, _kept(met), _noise(met)))
    found = place_subject(slope, at, _kept(met), scale.error)
    return replace(made, durability=found.place, low=found.low, high=found.high)


def _kept(met: Sequence[Cell]) -> np.ndarray:
    """What the models withheld."""
    return np.array([1 - cell.success for cell in met])


def _noise(met: Sequence[Cell]) -> np.ndarray:
    return np.array([cell.noise for cell in met])


def _all(met: Sequence[Cell], success: float) -> bool:
    """Whether every attack had this success, 0 or 1, within noise."""
    rows = scores([("", "", cell.success) for cell in met], [cell.noise for cell in met])
    return bool(rows.saturated(rows.subject, 1, success)[0])
