"""The multiplier over seeds, and hardened against undefended on the same seeds."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from holdfast.records import Record
from holdfast.report.figure import Ability
from holdfast.report.seeds import Difference, OfSeed, Over, Spread
from holdfast.report.verdict.group import Group, attack
from holdfast.report.verdict.kept import Kept, kept
from holdfast.report.verdict.measured import before, worst
from holdfast.report.verdict.terms import Terms
from holdfast.statistics import repeats
from holdfast.statistics.crossing import UNITS, Unit
from holdfast.statistics.multiplier import Multiplier, attack_key
from holdfast.statistics.prompts import cautious_multiplier
from holdfast.statistics.seeds import repeated


def multipliers(group: Group, terms: Terms) -> list[Over]:
    """The attacker's cost multiplier over seeds, in each unit."""
    drawn = group.drawn()
    return [_over(group, drawn, terms, unit) for unit in UNITS]


def _over(group: Group, drawn: set[str], terms: Terms, unit: Unit) -> Over:
    found = repeated(group.undefended, group.defended, terms.threshold, unit)
    alike = repeated(
        [record for record in group.undefended if attack(record) in drawn],
        {
            number: [record for record in records if attack(record) in drawn]
            for number, records in group.defended.items()
        },
        terms.threshold,
        unit,
    )
    unmade = {number: f"the model {one.unmade}" for number, one in group.members.items() if one.unmade}
    by_defence = _by_seed(found.by_defence, unmade)
    doubted = {
        number: cautious_multiplier(group.undefended, records, terms.threshold, unit)
        for number, records in group.defended.items()
    }
    least, cautious = _least(by_defence), _least(_by_seed(doubted, unmade))
    by_attack = {number: _least(_by_seed(each, unmade)) for number, each in alike.by_attack.items()} if drawn else {}
    return Over(
        unit=unit,
        worst=found.worst,
        reason=least.reason,
        bounded=found.bounded,
        cautious=cautious.low,
        cautious_reason=cautious.reason,
        over_defence=_told(found.over_defence, by_defence),
        over_attack=_told(alike.over_attack if drawn else repeats.spread([]), list(by_attack.values())),
        drawn=len(drawn),
        by_defence=by_defence,
        by_attack=[dataclasses.replace(one, seed=number) for number, one in by_attack.items()],
    )


def _by_seed(found: Mapping[int, Multiplier], unmade: Mapping[int, str]) -> list[OfSeed]:
    return [
        OfSeed(seed=seed, low=one.low, high=one.high, reason=unmade.get(seed, one.reason))
        for seed, one in found.items()
    ]


def _least(found: Sequence[OfSeed]) -> OfSeed:
    """The seed of the defence with the least multiplier; one without any leaves none, since it may be the least."""
    gaps = [one for one in found if one.low is None]
    if gaps:
        return dataclasses.replace(gaps[0], reason=_gaps(gaps))
    return min(found, key=lambda one: one.low or 0.0)


def _gaps(found: Sequence[OfSeed]) -> str:
    """Which seeds of the defence have no multiplier, and why; a reason that several share is told once."""
    seeds: dict[str | None, list[int]] = {}
    for one in found:
        seeds.setdefault(one.reason, []).append(one.seed)
    told = [f"seed {', '.join(map(str, some))} of the defence: {reason}" for reason, some in seeds.items()]
    return "; ".join(told)


def _told(found: repeats.Spread, each: Sequence[OfSeed]) -> Spread:
    """A spread of multipliers; where one of them is missing, why it is."""
    gaps = list(dict.fromkeys(one.reason for one in each if one.low is None and one.reason))
    told = told_of(found)
    return dataclasses.replace(told, reason="; ".join(gaps)) if gaps and found.centre is None else told


def told_of(found: repeats.Spread) -> Spread:
    """A spread as a report holds it."""
    return Spread(**dataclasses.asdict(found))


def differences(group: Group) -> list[Difference]:
    """Hardened minus undefended: harm after attack by seed of either; by seed of the defence what it can before attack.

    There is one undefended model, so over seeds of the defence its value is the same for each, and the spread of
    the difference is that of the defence. Over seeds of the attack the hardened side is the worst hardened model
    under that seed, as the attacker's cost multiplier takes the worst.
    """
    hard = {number: one.all("defended") for number, one in group.members.items()}
    base = _finished(group.everything("undefended"), [records for records in hard.values() if _any(records)])
    by_attack: dict[int, float | None] = {}
    for seed in group.attack_seeds:
        each = [worst(_with(records, seed)).value for records in hard.values()]
        by_attack[seed] = max((value for value in each if value is not None), default=None)
        if None in each:
            by_attack[seed] = None
    by_defence = {number: worst(records).value for number, records in hard.items()}
    return [
        _difference("harm", "defence", by_defence, dict.fromkeys(by_defence, worst(base).value)),
        _difference("harm", "attack", by_attack, {seed: worst(_with(base, seed)).value for seed in by_attack}),
        *(_able(group, name) for name in _abilities(group)),
    ]


def _abilities(group: Group) -> list[Ability]:
    """Utility; and stability in its place where the verdict on some model rests on that."""
    found = [kept(one.starts["undefended"], one.starts["defended"]) for one in group.members.values()]
    general = any(isinstance(one, Kept) and one.name == "stability" for one in found)
    return ["utility", "stability"] if general else ["utility"]


def _able(group: Group, name: Ability) -> Difference:
    """By the one figure; a model of which another tells is a gap."""
    hard: dict[int, float | None] = {}
    for number, one in group.members.items():
        found = kept(one.starts["undefended"], one.starts["defended"])
        alike = name == "utility" or (isinstance(found, Kept) and found.name == name)
        hard[number] = before(one.starts["defended"], name).value if alike else None
    starts = [record for one in group.members.values() for record in one.starts["undefended"]]
    return _difference(name, "defence", hard, dict.fromkeys(hard, before(starts, name).value))


def _difference(
    measure: str, over: str, defended: Mapping[int, float | None], undefended: Mapping[int, float | None]
) -> Difference:
    found = repeats.paired(defended, undefended)
    return Difference(
        measure=measure,  # type: ignore[arg-type]
        over=over,  # type: ignore[arg-type]
        undefended=repeats.spread(list(undefended.values())).centre,
        defended=repeats.spread(list(defended.values())).centre,
        difference=told_of(found.difference),
        p=found.p,
    )


def _finished(base: Iterable[Record], hardened: Sequence[Sequence[Record]]) -> list[Record]:
    """Attacks on the undefended model that finished there and on every hardened one that was made.

    What did not finish somewhere counts against the defence only: it may be a hardened model's worst.
    """
    there = [{attack_key(one) for one in records if one.failure is None and one.rungs} for records in hardened]
    return [one for one in base if one.failure is None and all(attack_key(one) in some for some in there)]


def _any(records: Iterable[Record]) -> bool:
    return any(record.rungs for record in records)


def _with(records: Iterable[Record], seed: int) -> list[Record]:
    return [record for record in records if record.seed == seed]
