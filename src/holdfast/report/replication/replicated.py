"""Published figures and measured ones side by side: the tables of a paper, and how near a replication comes to them.

No torch here: it is made of records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Final

from scipy import stats

from holdfast.records import Record
from holdfast.statistics.intervals import average

NEAR: Final = 0.05
"""Two figures that are no further apart than this count as near: the published are of two digits and one seed each."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One cell of a table."""

    published: float | None
    measured: float | None
    """The mean over seeds."""
    low: float | None = None
    high: float | None = None
    """Student's 95 % interval over seeds, from three of them on."""
    seeds: int = 0
    """How many seeds were measured."""
    reason: str | None = None
    """Why there is no measured figure, where there is none, or why it rests on fewer seeds."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of the paper, row by row."""

    name: str
    title: str
    note: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[Entry, ...]]

    @property
    def pairs(self) -> list[tuple[float, float]]:
        """Published and measured, where there are both."""
        entries = [entry for row in self.rows.values() for entry in row]
        return [(one.published, one.measured) for one in entries if None not in (one.published, one.measured)]  # type: ignore[misc]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why figures are missing, each reason once."""
        entries = [entry for row in self.rows.values() for entry in row]
        return tuple(sorted({one.reason for one in entries if one.reason}))

    @property
    def apart(self) -> float | None:
        """The mean distance of measured from published."""
        return fmean(abs(a - b) for a, b in self.pairs) if self.pairs else None

    @property
    def near(self) -> int:
        """How many are within `NEAR`."""
        return sum(abs(a - b) <= NEAR + 1e-9 for a, b in self.pairs)

    @property
    def order(self) -> float | None:
        """Spearman's rank correlation of measured with published; None below four, or where either is all the same."""
        first, second = zip(*self.pairs, strict=True) if self.pairs else ((), ())
        if len(first) < 4 or len({*first}) == 1 or len({*second}) == 1:
            return None
        found: Any = stats.spearmanr(first, second)
        return float(found.statistic)


@dataclass(frozen=True, kw_only=True)
class Replicated:
    """All tables, and what was done otherwise than the paper has it."""

    name: str
    paper: str
    model: str
    changes: tuple[str, ...]
    """What the user asked for instead of what the file says: another model, less data."""
    missing: int
    """Runs that are not there yet."""
    tables: tuple[Table, ...] = field(default_factory=tuple[Table, ...])


def entry(published: float | None, records: Sequence[Record | None], score: str, when: str) -> Entry:
    """A cell of a table from the runs of each of its seeds.

    Args:
        published: what the paper has.
        records: of each seed; None where there is none yet.
        score: which figure is told.
        when: `first` or `last` rung.
    """
    found: list[float] = []
    reasons: list[str] = []
    for record in records:
        value, reason = _figure(record, score, when)
        if value is None:
            reasons.append(reason)
        else:
            found.append(value)
    over = average(found) if found else None
    several = over is not None and len(found) > 2
    return Entry(
        published=published,
        measured=over.value if over else None,
        low=over.low if over and several else None,
        high=over.high if over and several else None,
        seeds=len(found),
        reason="; ".join(sorted({*reasons})) or None,
    )


def _figure(record: Record | None, score: str, when: str) -> tuple[float | None, str]:
    if record is None:
        return None, "not run yet"
    if record.failure is not None:
        return None, f"failed: {record.failure.reason}"
    rung = record.rungs[0 if when == "first" else -1]
    if when == "first" and rung.budget.steps:
        return None, "not measured before the first step"
    if score not in rung.scores:
        return None, f"{score} was not measured"
    return rung.scores[score].value, rung.scores[score].reason or "not measured"
