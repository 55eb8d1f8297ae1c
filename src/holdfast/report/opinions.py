"""What `report.json` holds of several judges: what each says of a model, and how far it agrees with the first."""

from dataclasses import dataclass

from holdfast.records import Role
from holdfast.report.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """One judge on one model: before any attack, and where the cheapest attack that broke it did."""

    role: Role
    judge: str
    decides: bool
    """Whether the verdict rests on this judge's harm; the others are second opinions."""
    before: Figure
    after: Figure
    """At the rung of the break; where nothing broke the model by the deciding judge, where that saw the most harm."""
    attack: str
    """Which attack that is, in words."""
    steps: int
    agreement: Figure | None = None
    """With the first judge on the answers of that rung: the share that both put on the same side of .5."""
    kappa: Figure | None = None
    """The same beyond chance (Cohen 1960), in [-1, 1]."""
    rank: Figure | None = None
    """Spearman's rank correlation of their scores there, in [-1, 1]."""
