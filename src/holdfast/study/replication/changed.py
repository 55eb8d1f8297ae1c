"""A replication as somebody else can run it: on another model, with data from a disk, or with less of everything."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from holdfast.errors import ConfigError, DataError
from holdfast.plugins import find
from holdfast.study.depth import at_depth
from holdfast.study.judging import judging
from holdfast.study.methods import Method
from holdfast.study.named import open_domain
from holdfast.study.replication.design import Replication, Table
from holdfast.study.spelling import spelling, spelt

_COUNTS: Final = ("defence", "attack", "evaluation", "harmless", "test")
"""The fields of domains that say how many samples there are."""
_FROZEN: Final = "training.freeze_blocks"
_FEWEST: Final = 8
"""Samples that are left of a split, and questions of a task, however small the share."""


_FEWEST_OF_ALL: Final = 200
"""The same of data of which categories are left out."""


def on(replication: Replication, model: str | None) -> Replication:
    """On another model; blocks that a defence freezes are those at the same depth of it.

    Raises:
        ModelError: its configuration is needed for that, and cannot be read.
        ConfigError: the replication does not say how many blocks its own model has, or freezes one that it has not.
    """
    if model is None:
        return replication
    changed = replication.model_copy(update={"model": model})
    if not any(_FROZEN in one.set for steps in replication.defences.values() for one in steps):
        return changed
    if replication.blocks is None:
        raise ConfigError(f"{replication.name}: defences freeze blocks of {replication.model}: say its `blocks`.")
    from holdfast.study.footprint.smaller import Shape

    there = Shape(model).blocks
    defences = {
        name: tuple(_frozen(one, replication.blocks, there) for one in steps)
        for name, steps in replication.defences.items()
    }
    return changed.model_copy(update={"blocks": there, "defences": defences})


def judged(replication: Replication, named: Sequence[str]) -> Replication:
    """With judges of one's own, wherever a domain has one that decides harm.

    Raises:
        UnknownName: there is no such judge.
    """
    if not named:
        return replication
    data = {name: judging(text, named, {})[0] if _asks(text) else text for name, text in replication.data.items()}
    return replication.model_copy(update={"data": data})


def _asks(domain: str) -> bool:
    return bool(open_domain(domain).judges)


def _frozen(method: Method, blocks: int, there: int) -> Method:
    """With blocks of one model, of so many, as those of another."""
    if _FROZEN not in method.set:
        return method
    frozen = at_depth(method.set[_FROZEN], blocks, there)
    return Method(name=method.name, set={**method.set, _FROZEN: frozen}, each=method.each)


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

    Where categories are left out more stay, since a few samples would lack some category.

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

    every = {
        column.data or table.data
        for table in replication.tables.values()
        for column in table.columns.values()
        if column.leave_out
    }

    def domain(called: str, written: str) -> str:
        name, given = spelt(written)
        least = _FEWEST_OF_ALL if called in every else _FEWEST
        counts = {key: fewer(value, least) for key, value in given.items() if key in _COUNTS}
        return spelling(name, {**given, **counts})

    return replication.model_copy(
        update={
            "data": {name: domain(name, written) for name, written in replication.data.items()},
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
