"""What was run on one model, or on all models of one defence, and what it measured."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from holdfast.records import Record, Role
from holdfast.report.figure import Ability
from holdfast.report.league.attacks import each, earned, labels, rewarded
from holdfast.report.league.budgets import FLOPS, STEPS, Models, round_budgets, rungs, within, worst
from holdfast.report.league.rows import Measured
from holdfast.report.seeds import Spread
from holdfast.report.verdict.evidence import Evidence
from holdfast.report.verdict.group import once
from holdfast.report.verdict.kept import ABLE, kept
from holdfast.report.verdict.measured import before
from holdfast.report.verdict.over import told_of
from holdfast.statistics import repeats
from holdfast.statistics.multiplier import attack_key


@dataclass(frozen=True, kw_only=True)
class Side:
    """Records model by model: one model for each seed of a defence."""

    trained: Models
    """Of attacks that train."""
    free: Models
    """Of attacks that train nothing."""
    starts: Models
    """Those that tell how a model was before any attack."""

    @property
    def all(self) -> Models:
        """Of attacks of either kind."""
        return [[*some, *others] for some, others in zip(self.trained, self.free, strict=True)]

    @property
    def first(self) -> Record | None:
        """Any record of it."""
        return next((record for records in self.all for record in records), None)


def hardened(members: Sequence[Evidence]) -> Side:
    """All that one defence hardened."""
    return Side(
        trained=[one.attacks["defended"] for one in members],
        free=[one.free["defended"] for one in members],
        starts=[one.starts["defended"] for one in members],
    )


def model(everyone: Sequence[Evidence], role: Role) -> Side:
    """The one model of another role, each record once though many are compared with it."""
    return Side(
        trained=[once(record for one in everyone for record in one.attacks[role])],
        free=[once(record for one in everyone for record in one.free[role])],
        starts=[once(record for one in everyone for record in one.starts[role])],
    )


class Battery:
    """The attacks of a section, the budgets at which harm is told, and the ability that all others are a share of."""

    def __init__(self, undefended: Side, others: Sequence[Side], ladder: Collection[int]):
        """Look through all records.

        Args:
            undefended: what was run on the undefended model: what every other model should have been under.
            others: the hardened models.
            ladder: the steps at which harm is told; none given means all at which it was measured.
        """
        everything = [records for side in (undefended, *others) for records in side.trained]
        self.steps = rungs(everything, ladder)
        self.flops = round_budgets(everything)
        named, paid = labels(undefended.all), rewarded(undefended.all)
        self.attacks, self._attacks = list(named.values()), list(named)
        self.rewarded, self._rewarded = list(paid.values()), list(paid)
        self._all = undefended.all
        self._trained = _keys(undefended.trained)
        self._free = _keys(undefended.free)
        self._starts = [record for records in undefended.starts for record in records]
        self.ability: Ability = "utility" if (before(self._starts, "utility").value or 0.0) >= ABLE else "stability"
        """The figure that all rows are told by."""

    def measured(self, side: Side) -> Measured:
        """What all of it says of one row."""
        return Measured(
            harm=worst(side.all, {*self._trained, *self._free}),
            prompted=worst(side.free, self._free),
            utility=_spread([self._share(records) for records in side.starts]),
            refusal=_spread([before(records, "over_refusal").value for records in side.starts]),
            steps=[within(side.trained, self._trained, STEPS, at) for at in self.steps],
            flops=[within(side.trained, self._trained, FLOPS, at) for at in self.flops],
            each=each(side.all, self._all, self._attacks),
            earned=earned(side.trained, self._rewarded),
        )

    def _share(self, records: Sequence[Record]) -> float | None:
        found = kept(self._starts, records)
        return None if isinstance(found, str) or found.name != self.ability else found.share(found.hard.value)


def _spread(values: Sequence[float | None]) -> Spread:
    return told_of(repeats.spread(values))


def _keys(models: Models) -> set[str]:
    return {attack_key(record) for records in models for record in records}
