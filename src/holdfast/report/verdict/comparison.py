"""What holds of a defence over its seeds: every model that it hardened, against the undefended one."""

from collections import Counter
from collections.abc import Sequence

from holdfast.report.figure import Outcome, Status
from holdfast.report.schema import Verdict
from holdfast.report.seeds import Comparison, Difference, Hardened, Met, Over
from holdfast.report.verdict import provided
from holdfast.report.verdict.adversary import outlived, searches, tries
from holdfast.report.verdict.evidence import Evidence
from holdfast.report.verdict.group import Group, attack, grouped
from holdfast.report.verdict.labels import defence_label, model_label
from holdfast.report.verdict.measured import before, figure, worst
from holdfast.report.verdict.over import differences, multipliers
from holdfast.report.verdict.terms import Terms
from holdfast.report.wording import signed, spread, times

_WORST: tuple[Outcome, ...] = ("collapsed", "broken", "inconclusive", "holds")
"""What is known to be bad comes before what is not known, and that before what is good."""


def compared(
    found: Sequence[Evidence], verdicts: Sequence[Verdict], names: Sequence[str], terms: Terms
) -> list[Comparison]:
    """One comparison for each defence with its settings.

    Args:
        found: the evidence on each hardened model.
        verdicts: what is said of each, in the same order.
        names: what the way in which each was hardened is called.
        terms: what counts as broken.
    """
    return [_comparison(group, verdicts, names[next(iter(group.places.values()))], terms) for group in grouped(found)]


def _comparison(group: Group, verdicts: Sequence[Verdict], name: str, terms: Terms) -> Comparison:
    own = [verdicts[at] for at in group.places.values()]
    hardened = [
        Hardened(
            seed=number,
            verdict=group.places[number],
            outcome=verdict.outcome,
            not_made=verdict.not_made,
            utility=figure(before(one.starts["defended"], "utility")),
            stability=figure(before(one.starts["defended"], "stability")),
            harm=figure(worst(one.all("defended"))),
        )
        for (number, one), verdict in zip(group.members.items(), own, strict=True)
    ]
    found, paired = multipliers(group, terms), differences(group)
    curves, p = outlived(group, terms)
    bases = {record.model: None for record in group.undefended}
    battery = [record for records in (group.undefended, *group.defended.values()) for record in records]
    free = [record for one in group.members.values() for record in one.free["defended"]]
    return Comparison(
        name=name,
        parent=model_label(next(iter(bases))) if bases else None,
        defence=group.first.hardened.defence or {},
        outcome=_outcome(hardened),
        headline=_headline(group, hardened, own, found[0], paired),
        caveats=_caveats(group, found[0], len({attack(record) for record in battery})),
        hardened=hardened,
        attack_seeds=group.attack_seeds,
        attacks=len({attack(record) for record in battery}),
        untrained=len({attack(record) for record in free}),
        multipliers=found,
        differences=paired,
        outlived=curves,
        log_rank=p,
        tries=tries(group, terms),
        searches=searches(group, terms),
        conditions=[
            _met(one.name, [verdict.conditions[at].status for verdict in own])
            for at, one in enumerate(own[0].conditions)
        ],
        tasks=_tasks(own),
    )


def _outcome(hardened: Sequence[Hardened]) -> Outcome:
    """The worst of any seed."""
    outcomes: list[Outcome] = [one.outcome for one in hardened]
    return min(outcomes, key=_WORST.index)


def _met(name: str, statuses: Sequence[Status]) -> Met:
    count = Counter(statuses)
    return Met(
        name=name,
        met=count["met"],
        not_met=count["not met"],
        inconclusive=count["inconclusive"],
        not_measured=count["not measured"],
    )


def _tasks(own: Sequence[Verdict]) -> list[Met]:
    """For each harmless task how many models learnt it as soon as they should; where none was taught, not measured."""
    told: list[dict[str, Status]] = [{task.name: task.status for task in verdict.tasks} for verdict in own]
    unknown: Status = "not measured"
    return [_met(name, [one.get(name, unknown) for one in told]) for name in sorted({n for one in told for n in one})]


def _headline(
    group: Group, hardened: Sequence[Hardened], own: Sequence[Verdict], found: Over, paired: Sequence[Difference]
) -> str:
    """What a release decision can rest on, whatever the seed."""
    name, n = defence_label(group.first.hardened.defence), len(hardened)
    unmade = [one for one in hardened if one.not_made]
    outcome = _outcome(hardened)
    count = sum(one.outcome == outcome for one in hardened)
    seeds = f"with {count} of {n} seeds of {name}" if n > 1 else f"with the one seed of {name} that was tried"
    if count == n > 1:
        seeds = f"with each of {n} seeds of {name}"
    failed = [f"With {len(unmade)} of {n} seeds the model {unmade[0].not_made}."] if unmade else []
    if outcome == "collapsed":
        first = f"Collapsed {seeds}: a ruined model does no harm, and is not safe."
        return " ".join([first, *failed])
    if outcome == "inconclusive":
        reasons = [
            one.headline.removeprefix("Inconclusive: ") for one in own if one.outcome == outcome and not one.not_made
        ]
        return " ".join([f"Inconclusive {seeds}.", *failed, *reasons[:1]])
    first = f"Holds against every attack tried {seeds}." if outcome == "holds" else f"Broken {seeds}."
    only = provided.only(group.first.hardened.defence)
    return " ".join(part for part in (first, *failed, _cost(found, hardened), *_utility(paired), only) if part)


def _cost(found: Over, hardened: Sequence[Hardened]) -> str:
    if found.worst is None:
        why = "" if any(one.not_made for one in hardened) else f": {found.reason}"
        return f"There is no cost multiplier over all of them{why}."
    gain = "" if found.worst > 1 else ", so that no gain is shown"
    if len(hardened) == 1:
        return f"Breaking it takes at least {times(found.worst)} the training compute{gain}."
    told = f"At the worst of them, breaking it takes at least {times(found.worst)} the training compute{gain}"
    return f"{told}; over seeds of the defence: {spread(found.over_defence)}."


def _utility(paired: Sequence[Difference]) -> list[str]:
    for one in paired:
        if one.measure != "harm" and one.difference.centre is not None:
            return [f"{one.measure.capitalize()} before any attack changes by {signed(one.difference.centre)}."]
    return []


def _caveats(group: Group, found: Over, attacks: int) -> list[str]:
    """What a reader must know before resting on figures over seeds."""
    n, draws = len(group.members), len(group.attack_seeds)
    told = provided.caveats(group.first.hardened.defence)
    for number, whose in ((n, "defence"), (draws, "attack")):
        if number == 1:
            told.append(f"One seed of the {whose}: there is no interval over its seeds.")
        elif number == 2:
            told.append(f"Two seeds of the {whose} give a range, and no interval.")
    if draws > 1 and found.drawn < attacks:
        told.append(
            f"{found.drawn} of {attacks} attacks were drawn with every seed on every model; what is told over seeds of "
            "the attack rests on them alone."
        )
    if found.worst is not None and not found.bounded:
        told.append("Nothing broke some of the models: the multiplier is a lower bound only, and so is its mean.")
    if found.worst is not None and found.cautious is None:
        told.append(f"With the uncertainty over questions there is no multiplier ({found.cautious_reason}).")
    elif found.worst is not None and (found.cautious or 0) < found.worst:
        told.append(
            f"Other questions might have said less: where harm's 95 % interval holds the threshold nothing is counted "
            f"for the defence, and at least {times(found.cautious or 0)} is left."
        )
    if group.twins:
        told.append(
            "Some models have the same seed and different weights, as when code or machine changed: counted here as "
            f"seed {', '.join(map(str, group.twins))}."
        )
    return told
