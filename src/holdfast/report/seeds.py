"""What `report.json` holds of a defence over seeds: every model that it hardened, side by side.

The shapes are the report's own, so that a change of the statistics behind them changes no reader's data.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from holdfast.records import Role
from holdfast.report.figure import Figure, Outcome
from holdfast.statistics.crossing import Unit


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The centre of a figure over seeds with its 95 % interval, and its range."""

    n: int
    """Seeds, those among them of which it is not known."""
    centre: float | None
    """The geometric mean of a multiplier, the mean of a difference; None where a seed has none."""
    low: float | None
    """Of the interval; None below three seeds, or where all are equal."""
    high: float | None
    least: float | None
    """Of the figures themselves."""
    most: float | None
    reason: str | None
    """Why there is no centre, or no interval around it, where there is none."""


@dataclass(frozen=True, kw_only=True)
class OfSeed:
    """The multiplier of one seed: at least `low`, at most `high`."""

    seed: int
    low: float | None
    high: float | None
    reason: str | None
    """Why there is none, where there is none."""


@dataclass(frozen=True, kw_only=True)
class Over:
    """The attacker's cost multiplier over seeds, in one unit. The worst is the one to rest on."""

    unit: Unit
    worst: float | None
    """The least lower bound of any seed of the defence; None where one has none."""
    reason: str | None
    """Why there is none, where there is none."""
    bounded: bool
    """Whether every seed of the defence has an upper bound. If not, what is told is a lower bound only."""
    cautious: float | None
    """`worst`, whatever other questions would have said: where harm's interval holds the threshold, nothing counts."""
    cautious_reason: str | None
    over_defence: Spread
    over_attack: Spread
    """Each seed of the attack with the worst seed of the defence for it, on the attacks drawn with every seed."""
    drawn: int
    """How many attacks those are."""
    by_defence: list[OfSeed]
    by_attack: list[OfSeed]
    """With the worst seed of the defence for each."""


@dataclass(frozen=True, kw_only=True)
class Hardened:
    """One hardened model."""

    seed: int
    """Of the defence."""
    verdict: int
    """Which of the report's verdicts is its own, from 0."""
    outcome: Outcome
    not_made: str | None
    """Why there is no such model, where there is none."""
    utility: Figure
    """Before any attack."""
    harm: Figure
    """The most that any attack brought it to."""
    stability: Figure | None = None
    """Before any attack, on general tasks."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Hardened minus undefended, on the same seeds."""

    measure: Literal["harm", "utility", "stability"]
    """The most harm after any attack; before any, utility, or general tasks where stability rests on them."""
    over: Literal["defence", "attack"]
    """Whose seeds are paired."""
    undefended: float | None
    """The mean over seeds."""
    defended: float | None
    difference: Spread
    p: float | None
    """Of the two-sided paired t test; None where the difference has no interval."""


@dataclass(frozen=True, kw_only=True)
class Outlived:
    """The share of attacks that have not broken a model yet, by what they spend (Kaplan-Meier)."""

    role: Role
    attacks: int
    """Runs: one for each attack, seed of it and hardened model."""
    broke: int
    unsettled: int
    """Runs that neither broke it nor were seen to hold to their end."""
    median: float | None
    """Training FLOPs at which half of them have broken it; None where fewer ever did."""
    costs: list[float]
    """Training FLOPs, ascending; the share is 1 before the first."""
    share: list[float]
    """From this cost on."""
    low: list[float | None]
    """Of the 95 % interval, point by point."""
    high: list[float | None]


@dataclass(frozen=True, kw_only=True)
class Try:
    """The best of so many attacks drawn at random from the battery."""

    tries: int
    harm: float | None
    """As is to be expected of the most harmful."""
    broken: float | None
    """The chance that at least one breaks the model."""
    cost: float | None
    """The median of what the cheapest spends, in training FLOPs; None where the chance is below a half."""


@dataclass(frozen=True, kw_only=True)
class Tries:
    """What trying more attacks gains the adversary, against one model."""

    role: Role
    seed: int | None
    """Of the defence."""
    points: list[Try]
    left_out: int
    """Attacks that did not finish, so that their harm is not known."""
    unsettled: int
    """Attacks that neither broke the model nor were seen to hold to their end."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """What an adversary found who chose each attack in the light of those before."""

    role: Role
    seed: int | None
    """Of the defence."""
    trials: int
    failed: int
    """Of them."""
    flops: float
    """Spent on all trials together."""
    cheapest: float | None
    """Training FLOPs of the cheapest break that it found; None where it found none."""
    attack: str | None
    """The attack that did it, in words."""
    others: float | None
    """The cheapest break by an attack of the battery that the search did not choose."""


@dataclass(frozen=True, kw_only=True)
class Met:
    """How many of the hardened models met a condition, or learnt a harmless task as soon as they should."""

    name: str
    met: int
    not_met: int
    inconclusive: int
    not_measured: int


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One defence with its settings, over all its seeds, against the undefended model."""

    name: str
    """The model, and which setting tells it from others of the report."""
    parent: str | None
    """The undefended model."""
    defence: dict[str, Any]
    """Of the first seed."""
    outcome: Outcome
    """The worst of any seed."""
    headline: str
    caveats: list[str]
    hardened: list[Hardened]
    """By seed of the defence."""
    attack_seeds: list[int]
    attacks: int
    """Attacks that train, each counted once whatever its seeds."""
    untrained: int
    multipliers: list[Over]
    """In training FLOPs first."""
    differences: list[Difference]
    outlived: list[Outlived]
    log_rank: float | None
    """The p-value that both models are outlived alike."""
    tries: list[Tries]
    searches: list[Search]
    conditions: list[Met]
    tasks: list[Met] = field(default_factory=list[Met])
    missing: int = 0
    """Cells that the study has asked for and that are not done. With any, all figures are of what is there so far."""
    asked: int | None = None
    """Seeds of the defence that the study asks for, where it is not finished."""

    @property
    def models(self) -> str:
        """How many hardened models there are, "3"; of how many, where the study is not finished, "2 of 3"."""
        return f"{len(self.hardened)}{f' of {self.asked}' if self.asked else ''}"

    @property
    def kept(self) -> Difference | None:
        """What became of the one figure that stability rests on, over seeds of the defence."""
        found = {one.measure: one for one in self.differences if one.measure != "harm"}
        return found.get("stability") or found.get("utility")

    @property
    def several(self) -> bool:
        """Whether there is more to it than one model under one draw of attacks: then a page tells of it."""
        return len(self.hardened) > 1 or len(self.attack_seeds) > 1 or bool(self.searches)
