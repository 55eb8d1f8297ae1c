"""What a league table holds: a row a defence, framed by models that nothing defends, and how it was made."""

from dataclasses import dataclass, field
from typing import Final, Literal

from holdfast.records import Role
from holdfast.report.figure import Ability, Outcome
from holdfast.report.seeds import Met, Over, Spread

Stage = Literal["before", "during", "after"]
STAGES: Final[tuple[Stage, ...]] = ("before", "during", "after")
"""In the order of the table."""


@dataclass(frozen=True, kw_only=True)
class Most:
    """The most harm that is known of, in [0, 1]."""

    value: float | None = None
    """None where nothing tells it."""
    open: bool = False
    """Whether an attack that might have done more did not tell: then it is at least this."""


@dataclass(frozen=True)
class Earned:
    """What an attack by reinforcement was rewarded with; None where that is not known of every run."""

    first: float | None = None
    """The mean reward of what was drawn up to the first rung that tells it."""
    last: float | None = None
    """The same between the last two rungs."""
    harm: float | None = None
    """At the last rung, on questions of the evaluation: what is rewarded without harm is reward hacking."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a defence costs whoever uses it, in seconds of the machine that ran the study."""

    hardening: float | None = None
    """The median over seeds of what making the model took, all of its stages; None where that is not known."""
    attacks: float | None = None
    """Where it acts during or after fine-tuning, the seconds of attacks under it relative to the undefended model's."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured of one model, or of all models of one defence."""

    harm: Most
    """After any attack, trained or not."""
    prompted: Most
    """After attacks that train nothing."""
    utility: Spread
    """Before any attack, as a share of the undefended model's: by the section's `ability`."""
    refusal: Spread
    """Over-refusal before any attack."""
    steps: list[Most]
    """One for each of the section's `steps`."""
    flops: list[Most]
    """One for each of the section's `flops`."""
    each: list[Most] = field(default_factory=list[Most])
    """One for each of the section's `attacks`."""
    earned: list[Earned] = field(default_factory=list[Earned])
    """One for each of the section's `rewarded`."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One defence with its settings, or a model that frames the table. Figures are of all its seeds."""

    name: str
    role: Role
    stage: Stage | None = None
    """The last at which any part of it acts; None for a model that nothing defends."""
    models: str = "1"
    """How many hardened models there are, "3"; of a study that is not finished "2 of 3"."""
    outcome: Outcome | None = None
    over: Over | None = None
    """The multiplier in training FLOPs; None for a model that nothing defends."""
    measured: Measured
    tasks: Met | None = None
    """Harmless tasks times seeds; None where none was taught."""
    cost: Cost = Cost()
    sound: bool = True
    """Whether no control failed: else its multiplier means nothing."""
    front: bool = False
    """Whether no other row is better in multiplier and utility."""
    notes: list[str] = field(default_factory=list[str])
    """What could not be made or is not known, and why."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """All that defends one undefended model."""

    name: str
    steps: list[int]
    """Rungs of the ladder."""
    flops: list[float]
    """Round budgets within what was spent."""
    attacks: list[str]
    """What the undefended model was under, in words."""
    rewarded: list[str]
    """Those of them that learn from rewards."""
    frame: list[Row]
    """The undefended model, the oracle and random initialisation, where there are records of them."""
    ability: Ability = "utility"
    """Which figure `utility` is."""
    rows: list[Row]
    """By stage, and in each by the worst multiplier; those without any come last."""

    @property
    def everyone(self) -> list[Row]:
        """All rows, in the table's order."""
        return [*self.frame, *self.rows]


@dataclass(frozen=True, kw_only=True)
class Told:
    """One thing to know of how it was made: a name and a sentence, or several."""

    name: str
    sentences: list[str]


@dataclass(frozen=True, kw_only=True)
class League:
    """The whole table."""

    study: str
    records: int
    missing: int
    """Cells of the study that are not done."""
    absent: list[str]
    """Models of the study of which there is no record yet."""
    threshold: float
    utility_loss: float
    """The most that may be lost of utility, relative to the undefended model."""
    domain: str
    data: str
    floor: float | None
    """Harm that guessing gives."""
    holdfast: str
    about: list[Told]
    sections: list[Section]
