"""A replication as somebody else can run it: on another model, with data from a disk, or with less of everything."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from holdfast.errors import ConfigError, DataError
from holdfast.plugins import find
from holdfast.study.methods import Method
from holdfast.study.replication.design import Replication, Table
from holdfast.study.spelling import spelling, spelt

_COUNTS: Final = ("defence", "attack", "evaluation", "harmless", "test")
"""The fields of domains that say how many samples there are."""
_FEWEST: Final = 8
"""Samples that are left of a split, and questions of a task, however small the share."""


def on(replication: Replication, model: str | None) -> Replication:
    """On another model."""
    return replication if model is None else replication.model_copy(update={"model": model})


def from_disk(replication: Replication, folder: Path | None) -> Replication:
    """With data from a folder that has a folder for each domain, by its name, and `lm_eval` for tasks of the harness.

    Raises:
        DataError: a domain has no folder there.
    """
    if folder is None:
        return replication
    data: dict[str, str] = {}
    for name, written in replication.data.items():
        domain, given = spelt(written)
        place = folder / domain
        if not place.is_dir():
            raise DataError(f"{folder} has no folder {domain!r}, which {name!r} of the replication is read from.")
        kept = {field: value for field, value in given.items() if field not in {"source", "refusals", "revision"}}
        data[name] = spelling(domain, {**kept, "source": str(place), **_more(domain, place)})
    own = folder / "lm_eval"
    tables = {name: _with_tasks(table, own if own.is_dir() else None) for name, table in replication.tables.items()}
    return replication.model_copy(update={"data": data, "tables": tables})


def smaller(replication: Replication, share: float) -> Replication:
    """With a share of the samples, steps and questions: to see that everything runs, and what it costs.

    Raises:
        ConfigError: the share is not in (0, 1].
    """
    if not 0 < share <= 1:
        raise ConfigError(f"--scale {share} is no share: expected more than 0 and at most 1.")
    if share == 1:
        return replication

    def fewer(count: int, least: int) -> int:
        return min(count, max(least, round(share * count)))

    def method(one: Method) -> Method:
        steps = {key: fewer(value, 2) for key, value in one.set.items() if key == "training.steps"}
        return Method(name=one.name, set={**one.set, **steps}, each=one.each)

    def domain(written: str) -> str:
        name, given = spelt(written)
        counts = {key: fewer(value, _FEWEST) for key, value in given.items() if key in _COUNTS}
        return spelling(name, {**given, **counts})

    return replication.model_copy(
        update={
            "data": {name: domain(written) for name, written in replication.data.items()},
            "defences": {name: tuple(map(method, steps)) for name, steps in replication.defences.items()},
            "attacks": {name: method(one) for name, one in replication.attacks.items()},
            "lesson": method(Method(name="sft", set=replication.lesson)).set,
            "tables": {name: _limited(table, share) for name, table in replication.tables.items()},
        }
    )


def _more(domain: str, place: Path) -> dict[str, Any]:
    """What a domain reads beside its `source`."""
    return {"refusals": str(place)} if hasattr(find("domains", domain), "refusals") else {}


def _with_tasks(table: Table, folder: Path | None) -> Table:
    return _with_stability(table, {"include": str(folder)} if folder else {})


def _limited(table: Table, share: float) -> Table:
    return _with_stability(table, {"limit": max(_FEWEST, round(1000 * share))})


def _with_stability(table: Table, more: Mapping[str, Any]) -> Table:
    """A table whose metrics by lm-evaluation-harness have further settings."""
    metrics = tuple(
        Method(name=one.name, set={**one.set, **more}) if one.name.partition("/")[0] == "stability" else one
        for one in table.metrics
    )
    return table.model_copy(update={"metrics": metrics})
