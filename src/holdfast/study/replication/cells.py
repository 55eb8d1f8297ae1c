"""From the tables of a replication to its cells: one for each row, column and seed, many of them shared."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, cast

from holdfast.methods import stage_of
from holdfast.records import RANDOM, Role
from holdfast.study.categories import Categories, categories, only
from holdfast.study.cells import Cell
from holdfast.study.named import method, open_domain
from holdfast.study.provider import Provided
from holdfast.study.replication.design import Column, Replication, Row, Table
from holdfast.study.run import Rounds

_BEFORE: Final = (0,)
"""Rungs: before the first step. The last is always measured."""


class Asked(NamedTuple):
    """One cell of a table, for one seed."""

    table: str
    row: str
    column: str
    cell: Cell


def asked(replication: Replication, tables: Sequence[str] = ()) -> list[Asked]:
    """Every cell of every table, or of some tables, for every seed."""
    return [
        Asked(name, row, column, _cell(replication, table, table.rows[row], table.columns[column], seed))
        for name, table in replication.tables.items()
        if not tables or name in tables
        for row in table.rows
        for column in table.columns
        for seed in replication.seeds
    ]


def rounds(replication: Replication, tables: Sequence[str] = ()) -> Rounds:
    """All of its cells at once, each once."""
    yield list({one.cell.key: one.cell for one in asked(replication, tables)}.values())


def _cell(replication: Replication, table: Table, row: Row, column: Column, seed: int) -> Cell:
    data = replication.data[column.data or table.data]
    shown, left_out = _split(replication, table, column)
    model, provider, role = _subject(replication, table, row, shown, seed)
    common: dict[str, Any] = {
        "model": model,
        "provider": provider,
        "role": role,
        "domain": data,
        "ladder": _BEFORE,
        "seed": seed,
    }
    if column.task:
        return Cell(verb="learn", method=column.task, settings=replication.lesson, **common)
    attack = replication.attacks[column.attack or ""]
    return Cell(
        verb="attack",
        method=attack.name,
        settings=attack.set,
        purpose="generalization" if left_out else "resistance",
        categories=left_out,
        metrics=tuple((metric.name, metric.set) for metric in table.metrics),
        **common,
    )


def _split(replication: Replication, table: Table, column: Column) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The categories that a defence is shown, and those that are attacked with; all, told as none, for both."""
    if not column.leave_out:
        return (), ()
    domain = open_domain(replication.data[column.data or table.data])
    out = cast(Categories, only(domain, column.leave_out)).chosen
    return tuple(name for name in categories(domain) if name not in out), out


def _subject(
    replication: Replication, table: Table, row: Row, shown: tuple[str, ...], seed: int
) -> tuple[str | Cell, tuple[Provided, ...], Role]:
    """The model of a row, what defends it when it is fine-tuned, and what it stands for."""
    model: str | Cell = f"{RANDOM}{replication.model}" if row.random else replication.model
    if row.defence is None:
        return model, (), "random" if row.random else "undefended"
    given: dict[str, Any] = {
        "domain": replication.data[table.defend or table.data],
        "categories": shown,
        "seed": seed,
    }
    provider: list[Provided] = []
    for step in replication.defences[row.defence]:
        if stage_of(method("defences", step.name, step.set)) == "before":
            model = Cell(verb="harden", model=model, method=step.name, settings=step.set, **given)
        else:
            provider.append(Provided(defence=step.name, settings=step.set, **given))
    return model, tuple(provider), "defended"
