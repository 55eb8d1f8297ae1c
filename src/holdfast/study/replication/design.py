"""What a replication is: a model, data, defences and attacks by name, and tables of a paper made of them.

The rows of a table are models with or without a defence, its columns are attacks or tasks and a score; each of its
cells is a run, whose seeds are averaged. `studies/repnoise_paper.yaml` is one.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic

from holdfast.errors import UnknownName
from holdfast.study.lines import Lines
from holdfast.study.methods import Chosen, Method, Pipeline
from holdfast.study.values import DomainName, Draws, FolderName, Name


class _Part(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Row(_Part):
    """A model that is attacked."""

    defence: Name | None = None
    """One of the replication's `defences`; None is the model as it is."""
    random: bool = False
    """Its random initialisation instead."""


class Column(_Part):
    """What is done to each model, and which figure is told."""

    attack: Name | None = None
    """One of the replication's `attacks`."""
    task: Name | None = None
    """A harmless task of the data, learnt by the replication's `lesson`."""
    score: Name | None = None
    """Which figure; None is the table's."""
    when: Literal["first", "last"] = "last"
    """Before the first step, or at the end."""
    data: Name | None = None
    """One of the replication's `data`; None is the table's."""
    leave_out: Annotated[tuple[Name, ...], pydantic.Field(strict=False)] = ()
    """Harmful categories, or groups of them, that the defence is not shown, and which are then attacked with."""

    @pydantic.model_validator(mode="after")
    def _one_of_them(self) -> "Column":
        if (self.attack is None) == (self.task is None):
            raise ValueError("expected either an attack or a task")
        return self


class Table(_Part):
    """One table of the paper."""

    title: str
    data: Name
    """One of the replication's `data`: what is attacked with, asked about and learnt."""
    defend: Name | None = None
    """One of the replication's `data`: what defences are shown; None is the table's."""
    score: Name = "harm"
    metrics: Annotated[tuple[Chosen, ...], pydantic.Field(strict=False)] = (Method(name="harm"),)
    """What is measured in every run of the table."""
    rows: dict[Name, Row]
    columns: dict[Name, Column]
    published: dict[Name, Annotated[tuple[float | None, ...], pydantic.Field(strict=False)]]
    """Of each row, what the paper has in each column, in their order; null where it has nothing."""
    note: str = ""
    """What a reader has to know of it."""

    @pydantic.model_validator(mode="after")
    def _as_wide_as_its_columns(self) -> "Table":
        for row, values in self.published.items():
            if row not in self.rows:
                raise ValueError(f"published: {UnknownName('row', row, self.rows)}")
            if len(values) != len(self.columns):
                raise ValueError(
                    f"published: {row!r} has {len(values)} figures, and there are {len(self.columns)} columns"
                )
        return self


class Replication(_Part):
    """Tables of a paper, and all that they are made of."""

    name: FolderName
    paper: str
    """What is replicated."""
    model: Name
    blocks: Annotated[int, pydantic.Field(ge=1)] | None = None
    """How many blocks it has, which is needed where defences freeze some of them: on a model with others, those at the
    same depth are frozen."""
    seeds: Annotated[Draws, pydantic.Field(strict=False)] = (0,)
    """Of defences and attacks alike: each is one draw of both."""
    data: dict[Name, DomainName]
    defences: dict[Name, Annotated[Pipeline, pydantic.Field(strict=False)]] = {}
    attacks: dict[Name, Chosen] = {}
    lesson: dict[Name, Any] = {}
    """How a task is learnt: fields of `sft`."""
    tables: dict[Name, Table]
    timeout: float | None = None
    """Seconds that a run may take."""

    @pydantic.model_validator(mode="after")
    def _names_are_known(self) -> "Replication":
        for name, table in self.tables.items():
            for kind, asked, known in self._asked(table):
                if asked is not None and asked not in known:
                    raise ValueError(f"tables.{name}: {UnknownName(kind, asked, known)}")
        return self

    def _asked(self, table: Table) -> Iterator[tuple[str, str | None, Mapping[str, Any]]]:
        """Every name in a table: of what kind it is, and which there are."""
        yield from (("data", name, self.data) for name in (table.data, table.defend))
        yield from (("defence", row.defence, self.defences) for row in table.rows.values())
        for column in table.columns.values():
            yield from (("data", column.data, self.data), ("attack", column.attack, self.attacks))


def load(path: Path) -> Replication:
    """The replication that a YAML file describes.

    Raises:
        DataError: the file is missing, or is no text.
        ConfigError: anything in it is wrong: `file:line: what`.
    """
    lines = Lines(path)
    try:
        return Replication.model_validate(lines.values)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = tuple(part for part in first["loc"] if part not in {"[key]", "function-after"})
        problem = first["msg"].removeprefix("Value error, ")
        told = f"{where[-1]}: " if where else ""
        raise lines.error(where, f"{told}{problem[0].lower()}{problem[1:]}.") from None
