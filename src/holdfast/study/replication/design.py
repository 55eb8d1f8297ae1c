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
from holdfast.study.methods import Chosen, Method, Pipeline, measured_once
from holdfast.study.mistakes import Misfit, Where
from holdfast.study.values import SOME, DomainName, Draws, FolderName, Name, Positive


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
    metrics: Annotated[
        tuple[Chosen, ...], pydantic.Field(strict=False), SOME, pydantic.AfterValidator(measured_once)
    ] = (Method(name="harm"),)
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
                raise Misfit(str(UnknownName("row", row, self.rows)), "published", row)
            if len(values) != len(self.columns):
                raise Misfit(f"{len(values)} figures, and there are {len(self.columns)} columns.", "published", row)
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
    timeout: Positive | None = None
    """Seconds that a run may take."""

    @pydantic.model_validator(mode="after")
    def _names_are_known(self) -> "Replication":
        known: dict[str, Mapping[str, Any]] = {
            "data": self.data,
            "defend": self.data,
            "defence": self.defences,
            "attack": self.attacks,
        }
        for name, table in self.tables.items():
            for asked, way in self._asked(table):
                there = known[way[-1]]
                if asked is not None and asked not in there:
                    kind = "data" if way[-1] == "defend" else way[-1]
                    raise Misfit(str(UnknownName(kind, asked, there)), "tables", name, *way)
        return self

    @staticmethod
    def _asked(table: Table) -> Iterator[tuple[str | None, tuple[str, ...]]]:
        """Every name in a table, and the way to it."""
        yield from ((table.data, ("data",)), (table.defend, ("defend",)))
        for name, row in table.rows.items():
            yield row.defence, ("rows", name, "defence")
        for name, column in table.columns.items():
            yield column.data, ("columns", name, "data")
            yield column.attack, ("columns", name, "attack")


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
        cause = first.get("ctx", {}).get("error")
        within: Where = cause.within if isinstance(cause, Misfit) else ()
        where = (*(part for part in first["loc"] if part not in {"[key]", "function-after"}), *within)
        problem = first["msg"].removeprefix("Value error, ")
        name = next((f"{part}: " for part in reversed(where) if isinstance(part, str)), "")
        end = "" if problem[-1] in ".?" else "."
        raise lines.error(where, f"{name}{problem[0].lower()}{problem[1:]}{end}") from None
