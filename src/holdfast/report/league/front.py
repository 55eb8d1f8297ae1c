"""The Pareto front: the defences that no other beats in both multiplier and utility."""

from collections.abc import Sequence

from holdfast.report.league.rows import Row

Point = tuple[float, float]
UNDEFENDED: Point = (1.0, 1.0)
"""Doing nothing: it multiplies no cost, and loses nothing."""


def place(row: Row) -> Point | None:
    """(the worst seed's multiplier, at least; the worst seed's utility relative to the undefended model).

    None where either is not known of every seed, or a control failed.
    """
    if row.over is None or row.over.worst is None or row.measured.utility.least is None or not row.sound:
        return None
    return row.over.worst, row.measured.utility.least


def front(points: Sequence[Point | None]) -> list[bool]:
    """Which points no other dominates, and neither does doing nothing (Pareto 1906).

    One dominates another that is at least as good in both and better in one, so that equals stand side by side. A
    multiplier without an upper bound counts as its lower bound, as every other does: more is not known.

    Args:
        points: one a defence; None is on no front, and dominates nothing.
    """
    known = [UNDEFENDED, *(point for point in points if point is not None)]
    return [point is not None and not any(_dominates(other, point) for other in known) for point in points]


def _dominates(one: Point, other: Point) -> bool:
    return one[0] >= other[0] and one[1] >= other[1] and one != other
