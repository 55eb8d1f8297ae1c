"""What the scale of defences and attacks comes to, as plain data."""

from dataclasses import dataclass

from holdfast.records import Role
from holdfast.report.scale.cells import Cell
from holdfast.statistics.scale.fit import Penalty
from holdfast.statistics.scale.held_out import HeldOut


@dataclass(frozen=True, kw_only=True)
class Durable:
    """One model on the scale."""

    model: str
    role: Role
    durability: float | None = None
    """None where it is only known to be `low` or more."""
    low: float | None = None
    high: float | None = None
    """None with a durability: too few cells for an interval. Without one: no upper bound."""
    cells: int


@dataclass(frozen=True, kw_only=True)
class Strong:
    """One attack on the scale."""

    attack: str
    strength: float | None = None
    """None where it broke nothing, or everything: then only a bound is known."""
    low: float | None = None
    high: float | None = None
    slope: float | None = None
    """How sharply it tells defences apart; 1 is that of the anchored attack."""
    slope_low: float | None = None
    slope_high: float | None = None
    cells: int


@dataclass(frozen=True, kw_only=True)
class Next:
    """A cell that nobody has run, and that would tell much."""

    model: str
    attack: str
    information: float
    """Nats."""
    expected: float
    """The success that the scale expects."""


@dataclass(frozen=True, kw_only=True)
class Durability:
    """A scale of defences and attacks."""

    domain: str
    zero: str
    """The undefended model whose durability is 0."""
    unit: str
    """The attack whose slope is 1."""
    penalty: Penalty
    models: list[Durable]
    """The most durable first, then those without a place."""
    attacks: list[Strong]
    """The strongest first."""
    apart: list[str]
    """Models and attacks that no chain of cells joins to the rest."""
    cells: list[Cell]
    fitted: int
    """Cells in the fit."""
    gaps: int
    resamples: int
    error: float
    """Root of the mean square, in success, of the cells that were fitted."""
    held_out: HeldOut | None
    next: list[Next]
