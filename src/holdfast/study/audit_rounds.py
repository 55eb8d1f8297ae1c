"""From an audit to its cells: one on each model, the battery, and wider ranges of learning rates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from holdfast.errors import ModelError
from holdfast.records import Record, Role
from holdfast.statistics.crossing import THRESHOLD
from holdfast.study.audit import Audit
from holdfast.study.cells import Cell
from holdfast.study.methods import Method, spread
from holdfast.study.named import open_domain
from holdfast.study.plan import trains, widened
from holdfast.study.run import Rounds

_TRIES: Final = 3
"""So many different attacks must fail before their first figure until a model counts as one that cannot be loaded."""


def rounds(audit: Audit, *, trying: bool = True) -> Rounds:
    """The cells of an audit, round by round: one on each model, the battery, then wider ranges of learning rates.

    Args:
        audit: what is attacked with what.
        trying: whether models are tried first. Without that all of the battery is told at once, whatever failed.

    Raises:
        ModelError: a model could not be loaded, as its first cells have shown.
    """
    cells = [cell for name, role in audit.subjects for cell in _battery(audit, name, role)]
    if trying:
        yield from _tried([_first(cells, role) for _, role in audit.subjects])
    records = yield cells
    for _ in range(audit.suite.sizes[audit.tier].widen):
        wider = [Method(name="sft", set=settings) for settings in widened(cells, records, THRESHOLD)]
        if not wider:
            break
        more = [cell for name, role in audit.subjects for cell in _cells(audit, name, role, wider, 1)]
        cells += more
        records = yield more


def _tried(first: Sequence[Sequence[Cell]]) -> Rounds:
    """One cell on each model, and others on those of whose weights nothing is known after that."""
    records: Mapping[str, Record] = {}
    for number in range(_TRIES):
        asked = [some[number] for some in first if number < len(some) and not _known(some[:number], records)]
        if asked:
            records = yield asked
    for some in first:
        if some and not _known(some, records):
            failure = records[some[0].key].failure
            raise ModelError(
                f"{some[0].model} could not be attacked at all: {failure.reason if failure else 'why is not known'}. "
                "See to that, and run it again with --retry-failed."
            )


def _first(cells: Sequence[Cell], role: Role) -> list[Cell]:
    """By what a model is tried first: the last cells on it, which take least, each of another attack."""
    some = {cell.method: cell for cell in cells if cell.role == role}
    return list(reversed(some.values()))[:_TRIES]


def _known(cells: Sequence[Cell], records: Mapping[str, Record]) -> bool:
    """Whether one of the runs came so far as to tell the weights: what failed later is the attack's affair."""
    return any(records[cell.key].weights or not records[cell.key].failure for cell in cells)


def _battery(audit: Audit, name: str, role: Role) -> list[Cell]:
    """Every attack on one model, one after the other, so that a worker loads it once."""
    usual = audit.suite.sizes[audit.tier].draws
    # Random weights show what an attack's data teach: one that trains nothing has none to teach them with.
    attempts = [one for one in audit.attempts if role != "random" or trains(spread([one.attack])[0])]
    return [
        cell
        for one in attempts
        for cell in _cells(audit, name, role, spread([one.attack]), usual if one.draws is None else one.draws)
    ]


def _cells(audit: Audit, name: str, role: Role, methods: Sequence[Method], draws: int) -> list[Cell]:
    made: list[Cell] = []
    for method in methods:
        for draw in range(draws):
            cell = Cell(
                verb="attack",
                model=name,
                role=role,
                method=method.name,
                settings=method.set,
                domain=audit.domain,
                metrics=_metrics(audit.domain),
                seed=audit.seed + draw,
            )
            made.append(_with_ladder(cell, audit.suite.ladder))
    return made


def _with_ladder(cell: Cell, ladder: Sequence[int]) -> Cell:
    """Rungs as far as the attack goes: a longer ladder of another tier is no other cell then."""
    steps = getattr(getattr(cell.built, "training", None), "steps", 0)
    return replace(cell, ladder=tuple(rung for rung in ladder if rung <= steps))


def _metrics(domain: str) -> tuple[tuple[str, Mapping[str, object]], ...]:
    """Harm, and utility where there are harmless questions."""
    splits = open_domain(domain).splits()
    return (("harm", {}), *([("utility", {})] if "permitted" in splits else []))
