"""Records put in order: which models are compared with which."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from holdfast.errors import DataError
from holdfast.records import RANDOM, Record, Role
from holdfast.report.verdict.labels import attack_label
from holdfast.report.verdict.models import identity, known, recipe, seed, unmade
from holdfast.statistics.multiplier import attack_key

Attacks = dict[Role, list[Record]]
"""Records of attacks, by what was attacked."""


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """Attacks with what a sibling of the hardened model, made alike, was not shown."""

    categories: tuple[str, ...]
    """The categories that were left out; none where it was hardened on another domain."""
    shown: str | None
    """That domain."""
    attacks: Attacks

    @property
    def starts(self) -> Attacks:
        """Those that tell how either model was before any attack."""
        return {role: [one for one in records if _starts(one)] for role, records in self.attacks.items()}


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Every record that bears on one hardened model."""

    hardened: Record
    """Any record of it: for its name, weights, defence and domain."""
    attacks: Attacks
    """Attacks that train."""
    free: Attacks
    """Attacks that train nothing."""
    starts: Attacks
    """Records that tell how a model was before any attack: their first rung is at no steps, asked as usual."""
    unseen: list[Unseen]
    lessons: dict[str, dict[Role, Record]]
    """Harmless tasks, by name; a task learnt in several ways is named with each."""
    searched: Attacks
    """Trials of searches for the cheapest attack: they stop early, so they are no part of a battery."""
    unmade: str | None = None
    """Why there is no such model, as a part of a sentence, where there is none."""
    alike: list[int] = field(default_factory=list[int])
    """The seeds of all models that were hardened as this one, its own among them."""
    alone: bool = False
    """Whether it is judged by itself, with no undefended model beside it: costs are then absolute."""

    @property
    def side(self) -> Role:
        """What the model that is judged stands for: one alone may be undefended itself."""
        return self.hardened.role

    @property
    def called(self) -> str:
        """What a sentence calls it."""
        return "hardened model" if self.side == "defended" else "model"

    def all(self, role: Role) -> list[Record]:
        """All attacks on one model in which everything was asked."""
        return [*self.attacks[role], *self.free[role]]


def gathered(records: Iterable[Record], *, alone: bool = False) -> list[Evidence]:
    """The evidence on each hardened model, in the order of their names.

    Args:
        records: of all models.
        alone: whether each is judged by itself; where none is hardened, that is each undefended one.

    Raises:
        DataError: there is no hardened model among what was attacked, or it cannot be told from which it was made.
    """
    records = known(records)
    sides: tuple[Role, ...] = ("defended", "undefended") if alone else ("defended",)
    judged = [[record for record in records if _is(record, side, "resistance")] for side in sides]
    hardened = {identity(record): record for record in next(filter(None, judged), [])}
    if not hardened:
        raise DataError(
            "no record is of a hardened model, so there is nothing to give a verdict on: attack one that "
            "`holdfast harden` made."
        )
    alike: dict[str, list[int]] = {}
    for record in hardened.values():
        alike.setdefault(recipe(record), []).append(seed(record))
    ordered = sorted(hardened.values(), key=lambda one: (one.model, recipe(one), seed(one), one.weights))
    return [_about(record, records, sorted(alike[recipe(record)]), alone) for record in ordered]


def _about(hardened: Record, records: list[Record], alike: list[int], alone: bool) -> Evidence:
    """What bears on one hardened model: on the same data, with the same seeds, and from the same parent.

    Harmless tasks may be of any data, as those of GEM are beside BeaverTails.
    """
    data = hardened.domain.data
    near = [record for record in records if record.domain.data == data or record.purpose == "trainability"]
    mine = identity(hardened)
    own = [record for record in near if record.role == hardened.role and identity(record) == mine]
    seeds = {record.seed for record in own}
    others = [record for record in near if record.role != "defended" and record.seed in seeds]
    bases: list[Record] = []
    if not alone:
        _check_parent(hardened, others)
        bases = [one for one in others if one.role == "undefended" and hardened.parent in {None, one.weights}]
    beside = bases or own
    controls = [one for one in others if one.role in {"oracle", "random"} and _stands_beside(one, beside)]
    base = [*bases, *controls]
    asked = [record for record in (*own, *base) if record.purpose == "resistance"]
    untrained = [record for record in asked if not trains(record)]
    return Evidence(
        hardened=hardened,
        attacks=_by_role(record for record in asked if trains(record)),
        free=_by_role(record for record in untrained if record.attack["name"] != "none"),
        starts=_by_role(record for record in asked if _starts(record)),
        unseen=_unseen(hardened, near, base),
        lessons=_lessons(record for record in (*own, *base) if record.purpose == "trainability"),
        searched=_by_role(record for record in (*own, *base) if record.purpose == "search"),
        unmade=unmade(own),
        alike=alike,
        alone=alone,
    )


def _stands_beside(control: Record, bases: Sequence[Record]) -> bool:
    """Whether a control is one of these models': any oracle, and the random initialisation that has the name of one."""
    name = control.model.removeprefix(RANDOM)
    return name == control.model or name in {base.model for base in bases}


def _unseen(hardened: Record, near: list[Record], base: list[Record]) -> list[Unseen]:
    """Siblings: hardened alike, but attacked with nothing that they were shown; apart by what was left out."""
    groups: dict[tuple[tuple[str, ...], str | None, str], list[Record]] = {}
    for record in near:
        if not _is(record, "defended", "generalization") or _recipe(record) != _recipe(hardened):
            continue
        made = record.defence or {}
        shown, left_out = made.get("categories"), record.domain.categories
        if made.get("data") not in {None, record.domain.data}:
            groups.setdefault(((), str(made.get("domain")), record.weights), []).append(record)
        elif shown and left_out and not {*shown} & {*left_out}:
            groups.setdefault((tuple(left_out), None, record.weights), []).append(record)
    return [
        Unseen(
            categories=left_out,
            shown=shown,
            attacks=_by_role([*siblings, *_compared(base, left_out)]),
        )
        for (left_out, shown, _), siblings in sorted(groups.items(), key=lambda group: (group[0][0], str(group[0][1])))
    ]


def _compared(base: list[Record], left_out: tuple[str, ...]) -> Iterable[Record]:
    """Attacks on an undefended model with what a sibling was attacked with: across domains, everything."""
    asked = [record for record in base if record.purpose in {"resistance", "generalization"} and trains(record)]
    alike = [record for record in asked if tuple(record.domain.categories or ()) == left_out]
    return {f"{record.role} {attack_key(record)}": record for record in alike}.values()


def _lessons(records: Iterable[Record]) -> dict[str, dict[Role, Record]]:
    """Both models' records of a task side by side, where it was taught in the same way."""
    ways: dict[tuple[str, str, str], dict[Role, Record]] = {}
    for record in records:
        ways.setdefault((record.task or "", record.domain.data, attack_key(record)), {})[record.role] = record
    named = {_taught(way, next(iter(by_role.values())), ways): by_role for way, by_role in ways.items()}
    return {name: named[name] for name in sorted(named)}


def _taught(way: tuple[str, str, str], record: Record, ways: Collection[tuple[str, str, str]]) -> str:
    """A task's name, and what tells it from others of that name: its data, how it was taught."""
    task, alike = way[0], [other for other in ways if other[0] == way[0]]
    apart = [f"{record.domain.name} {way[1][:8]}"] if len({data for _, data, _ in alike}) > 1 else []
    apart += [attack_label(record)] if len({taught for _, _, taught in alike}) > 1 else []
    return f"{task} ({', '.join(apart)})" if apart else task


def _check_parent(hardened: Record, others: list[Record]) -> None:
    """Without a word of which model it was made from, only one can be compared with."""
    bases = {record.weights: record.model for record in others if record.role == "undefended"}
    if hardened.parent is None and len(bases) > 1:
        raise DataError(
            f"{hardened.model} does not tell which model it was made from, and there are records of "
            f"{len(bases)} undefended ones ({', '.join(sorted(bases.values()))}): keep those of its own."
        )


def _starts(record: Record) -> bool:
    """Whether the first rung is the model before any attack, asked as usual."""
    usual = trains(record) or record.attack["name"] == "none"
    return usual and bool(record.rungs) and record.rungs[0].budget.steps == 0


def trains(record: Record) -> bool:
    """Whether an attack trains; one that does not costs nothing."""
    return "training" in record.attack["settings"] or any(rung.budget.steps for rung in record.rungs)


def _is(record: Record, role: Role, purpose: str) -> bool:
    return record.role == role and record.purpose == purpose


def _recipe(record: Record) -> tuple[Any, ...]:
    """How a model was hardened, whatever it was shown."""
    made = record.defence or {}
    return record.parent, json.dumps({key: made.get(key) for key in ("name", "settings", "seed")}, sort_keys=True)


def _by_role(records: Iterable[Record]) -> dict[Role, list[Record]]:
    found: dict[Role, list[Record]] = {"undefended": [], "defended": [], "oracle": [], "random": []}
    for record in sorted(records, key=_order):
        found[record.role].append(record)
    return found


def _order(record: Record) -> tuple[Any, ...]:
    """Plain before unusual, small batches first, rates from low to high."""
    training = record.attack["settings"].get("training", {})
    numbers = [training.get(name, 0) for name in ("lora_rank", "rescale", "batch_size", "learning_rate")]
    return record.attack["name"], *numbers, attack_key(record)
