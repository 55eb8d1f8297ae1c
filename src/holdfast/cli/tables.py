"""Tables of scores for a terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from holdfast.records import Record, Score


def cell(score: "Score") -> str:
    """A value with its 95 % interval; a gap where nothing was measured."""
    if score.value is None:
        return "-"
    if score.low is None or score.high is None:
        return f"{score.value:.2f}"
    return f"{score.value:.2f} [{score.low:.2f}, {score.high:.2f}]"


def scores_table(title: str, scores: "Mapping[str, Score]") -> Table:
    """One row a score."""
    table = Table("score", "value [95 %]", "n", "", title=title, title_justify="left")
    for name, score in scores.items():
        table.add_row(name, cell(score), str(score.n), score.reason or "")
    return table


def ladder_tables(title: str, record: "Record") -> list[Table]:
    """One row a rung: what was spent, and every score then; where several judged, what they said in a second table."""
    rungs, second = record.rungs, opinions(record)
    told = {score for scores in second.values() for score in scores}
    names = [name for name in dict.fromkeys(name for rung in rungs for name in rung.scores) if name not in told]
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for spending in ("steps", "samples", "tokens", "FLOPs"):
        table.add_column(spending, no_wrap=True)
    # On a narrow terminal a name goes on below itself, as an interval does below its value.
    for name in names:
        table.add_column(name.replace("_", " "), overflow="fold")
    for rung in rungs:
        spent = rung.budget
        values = [cell(rung.scores[name]) if name in rung.scores else "-" for name in names]
        table.add_row(str(spent.steps), str(spent.samples), str(spent.tokens), f"{spent.flops:.1e}", *values)
    return [table, *([_judges_table(record, second)] if told else [])]


def opinions(record: "Record") -> dict[str, list[str]]:
    """By each judge but the first: its harm, and its agreement, kappa and rank correlation with the first."""
    there = {name for rung in record.rungs for name in rung.scores}
    wanted = ("harm", "agreement", "kappa", "rank")
    others = list(record.domain.judges)[1:]
    return {judge: [f"{what}_{judge}" for what in wanted] for judge in others if f"harm_{judge}" in there}


def _judges_table(record: "Record", second: Mapping[str, Sequence[str]]) -> Table:
    """One row a rung and a judge."""
    first = next(iter(record.domain.judges))
    table = Table("steps", "judge", "harm", "agreement", "kappa", "rank", title_justify="left")
    table.title = f"judges: {first} decides; how far each other agrees with it"
    for rung in record.rungs:
        steps = str(rung.budget.steps)
        if "harm" in rung.scores:
            table.add_row(steps, first, cell(rung.scores["harm"]), "", "", "")
        for judge, names in second.items():
            values = [cell(rung.scores[name]) if name in rung.scores else "-" for name in names]
            table.add_row(steps, judge, *values)
    return table
