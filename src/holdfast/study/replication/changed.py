"""A replication as somebody else can run it: on another model, with data from a disk, or with less of everything."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from holdfast.errors import ConfigError, DataError
from holdfast.models.naming import found
from holdfast.plugins import find, without_preset
from holdfast.study.judging import judging
from holdfast.study.matched import at_depth
from holdfast.study.methods import Method
from holdfast.study.named import CUSTOMER, open_domain
from holdfast.study.named import method as built
from holdfast.study.replication.design import Replication, Table
from holdfast.study.replication.share import STEPS, Share
from holdfast.study.spelling import spelling, spelt

_FROZEN: Final = "training.freeze_blocks"


def on(replication: Replication, model: str | None) -> Replication:
    """On another model; blocks that a defence freezes are those at the same depth of it.

    Raises:
        UnknownName: there is no such model.
        ModelError: its configuration is needed for that, and cannot be read.
        ConfigError: the replication does not say how many blocks its own model has, freezes one that it has not, or a
            setting does not fit.
    """
    if model is None:
        return replication
    found(model)
    changed = replication.model_copy(update={"model": model})
    if not any(_frozen(one) for steps in replication.defences.values() for one in steps):
        return changed
    if replication.blocks is None:
        raise ConfigError(f"{replication.name}: defences freeze blocks of {replication.model}: say its `blocks`.")
    from holdfast.study.footprint.smaller import Shape

    there = Shape(model).blocks
    defences = {
        name: tuple(_at_depth(one, replication.blocks, there) for one in steps)
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


def _at_depth(method: Method, blocks: int, there: int) -> Method:
    """With blocks of one model, of so many, as those of another."""
    if not (frozen := _frozen(method)):
        return method
    return Method(name=method.name, set={**method.set, _FROZEN: at_depth(frozen, blocks, there)}, each=method.each)


def _frozen(method: Method) -> tuple[int, ...]:
    """The blocks that a defence leaves as they are."""
    return getattr(getattr(built("defences", method.name, method.set), "training", None), "freeze_blocks", ())


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
    tasks = {"include": str(own)} if own.is_dir() else {}
    tables = {name: _with_stability(table, lambda _: tasks) for name, table in replication.tables.items()}
    return replication.model_copy(update={"data": data, "tables": tables})


def smaller(replication: Replication, share: float) -> Replication:
    """With a share of the samples, steps and questions: to see that everything runs, and what it costs.

    Where categories are left out more stay, since a few samples would lack some category; not where it is the chosen
    ones that are counted.

    Raises:
        ConfigError: the share is not in (0, 1], or a setting does not fit.
    """
    less = Share(share)
    if share == 1:
        return replication
    many = {
        column.data or table.data
        for table in replication.tables.values()
        for column in table.columns.values()
        if column.leave_out
    }
    lesson = less.method("attacks", Method(name="sft", set={**CUSTOMER, **replication.lesson})).set
    return replication.model_copy(
        update={
            "data": {name: less.domain(text, many=name in many) for name, text in replication.data.items()},
            "defences": {
                name: tuple(less.method("defences", one) for one in steps)
                for name, steps in replication.defences.items()
            },
            "attacks": {name: less.method("attacks", one) for name, one in replication.attacks.items()},
            "lesson": {**replication.lesson, STEPS: lesson[STEPS]},
            "tables": {name: _with_stability(table, less.limit) for name, table in replication.tables.items()},
        }
    )


def _more(domain: str, place: Path) -> dict[str, Any]:
    """What a domain reads beside its `source`."""
    return {"refusals": str(place)} if hasattr(find("domains", domain), "refusals") else {}


def _with_stability(table: Table, more: Callable[[Method], Mapping[str, Any]]) -> Table:
    """A table whose metrics by lm-evaluation-harness have further settings."""
    metrics = tuple(
        Method(name=one.name, set={**one.set, **more(one)}) if without_preset(one.name) == "stability" else one
        for one in table.metrics
    )
    return table.model_copy(update={"metrics": metrics})
