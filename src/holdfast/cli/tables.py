"""Tables of scores for a terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from holdfast.records import Rung, Score


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


def ladder_table(title: str, rungs: "Sequence[Rung]") -> Table:
    """One row a rung: what was spent, and every score then."""
    names = list(dict.fromkeys(name for rung in rungs for name in rung.scores))
    table = Table("steps", "samples", "tokens", "FLOPs", *names, title=title, title_justify="left")
    for rung in rungs:
        spent = rung.budget
        values = [cell(rung.scores[name]) if name in rung.scores else "-" for name in names]
        table.add_row(str(spent.steps), str(spent.samples), str(spent.tokens), f"{spent.flops:.1e}", *values)
    return table
