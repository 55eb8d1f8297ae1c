"""See that every name, setting and score of a replication exists and fits, before anything is trained for it."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from holdfast.interfaces import Domain
from holdfast.methods import PromptMethod
from holdfast.models.naming import found
from holdfast.study.categories import categories
from holdfast.study.design import Generalization
from holdfast.study.fitting import at, built, check_metric, check_name, check_pipeline
from holdfast.study.lines import Lines
from holdfast.study.methods import Method
from holdfast.study.mistakes import StudyError, Where
from holdfast.study.named import CUSTOMER, method, open_domain
from holdfast.study.replication.design import Column, Replication, Table


@contextmanager
def told_by(path: Path) -> Generator[None]:
    """What is wrong with a replication, with the line of its file."""
    try:
        yield
    except StudyError as error:
        raise Lines(path).error(error.where, str(error)) from None


def check_built(replication: Replication) -> None:
    """See that every model, domain, defence, attack and lesson can be made of its settings. No data are read.

    Raises:
        StudyError: the first that cannot, with the way to it.
    """
    with at("model"):
        found(replication.model)
    for name, written in replication.data.items():
        with at("data", name):
            open_domain(written)
    for name, pipeline in replication.defences.items():
        check_pipeline(pipeline, ("defences", name))
        for step, one in enumerate(pipeline):
            _check_no_grid(one, ("defences", name, step))
    for name, one in replication.attacks.items():
        _check_no_grid(one, ("attacks", name))
        built("attacks", one, ("attacks", name))
    try:
        built("attacks", Method(name="sft", set={**CUSTOMER, **replication.lesson}), ())
    except StudyError as error:
        raise StudyError(("lesson", *error.where[1:]), error.problem) from None


def check(replication: Replication, tables: Sequence[str] = ()) -> None:
    """See that every cell of some tables can be run, and measures the score that its column tells.

    Data are read, for their splits, tasks and categories.

    Args:
        replication: as it is to be run.
        tables: which of its tables; none means all.

    Raises:
        StudyError: the first that cannot, with the way to it.
    """
    check_built(replication)
    for name, table in replication.tables.items():
        if not tables or name in tables:
            _check_table(replication, table, ("tables", name))


def _check_table(replication: Replication, table: Table, where: Where) -> None:
    if any(row.defence for row in table.rows.values()):
        key = "defend" if table.defend else "data"
        with at(*where, key):
            check_name("split", "defence", open_domain(replication.data[table.defend or table.data]).splits())
    for name, column in table.columns.items():
        way = (*where, "columns", name)
        domain = open_domain(replication.data[column.data or table.data])
        known = (
            _check_task(domain, column, way) if column.task else _check_attack(replication, table, domain, column, way)
        )
        score = column.score or ("utility" if column.task else table.score)
        with at(*(way if column.score or column.task else where), "score"):
            if known:
                check_name("score", score, known)
        if column.leave_out:
            with at(*way, "leave_out"):
                Generalization(leave_out=column.leave_out).splits(categories(domain), domain.groups())


def _check_task(domain: Domain, column: Column, where: Where) -> list[str]:
    """Also says which scores there are of a task."""
    with at(*where, "task"):
        check_name("task", str(column.task), domain.tasks())
    return [*method("metrics", "utility").scores(domain)]


def _check_attack(replication: Replication, table: Table, domain: Domain, column: Column, where: Where) -> list[str]:
    """Also says which scores there are of an attack; none where that is not known of some metric."""
    attack = replication.attacks[str(column.attack)]
    [chosen] = built("attacks", attack, ("attacks", str(column.attack)))
    with at(*where, "attack"):
        splits = domain.splits()
        if not isinstance(chosen, PromptMethod):
            check_name("split", "attack", splits)
    metrics: list[Any] = [
        check_metric(metric, splits, (*where[:2], "metrics", number)) for number, metric in enumerate(table.metrics)
    ]
    if not all(hasattr(metric, "scores") for metric in metrics):
        return []
    by_itself = ["reward"] if hasattr(chosen, "reward") else []  # one that is by reinforcement tells it at each rung
    return [*by_itself, *(name for metric in metrics for name in metric.scores(domain))]


def _check_no_grid(one: Method, where: Where) -> None:
    if one.each:
        raise StudyError(
            (*where, "each"), "each figure of a table is one run: set a value, and name another beside it."
        )
