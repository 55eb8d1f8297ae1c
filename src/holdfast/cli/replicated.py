"""What a replication has found, made of its records: what came out beside what was published."""

from collections.abc import Mapping, Sequence

from holdfast.records import Record
from holdfast.report.replication.replicated import Entry, Replicated, Table, entry
from holdfast.study.replication.cells import Asked, asked
from holdfast.study.replication.design import Column, Replication


def replicated(
    replication: Replication,
    records: Mapping[str, Record],
    tables: Sequence[str] = (),
    changes: Sequence[str] = (),
) -> Replicated:
    """Published and measured figures, table by table.

    Args:
        replication: what was asked for.
        records: by the key of their cells, as far as there are any.
        tables: which of its tables; none means all.
        changes: what was done otherwise than the paper has it, in words.
    """
    cells = asked(replication, tables)
    chosen = [name for name in replication.tables if not tables or name in tables]
    return Replicated(
        name=replication.name,
        paper=replication.paper,
        model=replication.model,
        changes=tuple(changes),
        missing=len({one.cell.key for one in cells} - records.keys()),
        tables=tuple(
            _table(replication, name, [one for one in cells if one.table == name], records) for name in chosen
        ),
    )


def _table(replication: Replication, name: str, cells: Sequence[Asked], records: Mapping[str, Record]) -> Table:
    table = replication.tables[name]
    nothing = (None,) * len(table.columns)

    def told(row: str, at: int, column: str, asks: Column) -> Entry:
        mine = [records.get(one.cell.key) for one in cells if (one.row, one.column) == (row, column)]
        score = asks.score or ("utility" if asks.task else table.score)
        return entry(table.published.get(row, nothing)[at], mine, score, asks.when)

    return Table(
        name=name,
        title=table.title,
        note=table.note,
        columns=tuple(table.columns),
        rows={
            row: tuple(told(row, at, column, asks) for at, (column, asks) in enumerate(table.columns.items()))
            for row in table.rows
        },
    )
