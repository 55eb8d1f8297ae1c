"""All models that one defence hardened, whatever its seed, with what was run on them and on the undefended one."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from holdfast.records import Record, Role
from holdfast.report.verdict.evidence import Evidence
from holdfast.report.verdict.models import recipe, seed
from holdfast.statistics.multiplier import attack_key


@dataclass(frozen=True, kw_only=True)
class Group:
    """One defence with its settings, over its seeds."""

    members: dict[int, Evidence]
    """By seed of the defence."""
    places: dict[int, int]
    """Where each stands among all the evidence, from 0."""
    twins: list[int]
    """Seeds that are none: a second model of a seed is counted under the next number that is free."""

    @property
    def first(self) -> Evidence:
        """Of the lowest seed."""
        return next(iter(self.members.values()))

    @property
    def undefended(self) -> list[Record]:
        """Attacks that train, on the undefended model, each once."""
        return once(record for one in self.members.values() for record in one.attacks["undefended"])

    @property
    def defended(self) -> dict[int, list[Record]]:
        """Attacks that train, by seed of the defence."""
        return {number: one.attacks["defended"] for number, one in self.members.items()}

    @property
    def attack_seeds(self) -> list[int]:
        """Those with which the hardened models were attacked."""
        return sorted({record.seed for records in self.defended.values() for record in records})

    def everything(self, role: Role) -> list[Record]:
        """Attacks of any kind on the undefended model, the oracle or random initialisation, each once."""
        return once(record for one in self.members.values() for record in one.all(role))

    def drawn(self) -> set[str]:
        """Attacks that train and were run with every seed on every model: only those tell seeds apart."""
        sides = [self.undefended, *self.defended.values()]
        tried = [{attack_key(record) for record in side} for side in sides]
        ways = {attack(record): record for side in sides for record in side}
        seeds = self.attack_seeds
        return {
            way
            for way, record in ways.items()
            if all(attack_key(replace(record, seed=one)) in side for one in seeds for side in tried)
        }


def attack(record: Record) -> str:
    """One text for one attack, whatever its seed."""
    return json.dumps(record.attack, sort_keys=True)


def grouped(found: Sequence[Evidence]) -> list[Group]:
    """The evidence, defence by defence, in its order."""
    places: dict[str, list[int]] = {}
    for at, one in enumerate(found):
        places.setdefault(recipe(one.hardened), []).append(at)
    return [_group(found, group) for group in places.values()]


def _group(found: Sequence[Evidence], places: Sequence[int]) -> Group:
    by_seed: dict[int, int] = {}
    again: list[int] = []
    for at in places:
        if seed(found[at].hardened) in by_seed:
            again.append(at)
        else:
            by_seed[seed(found[at].hardened)] = at
    twins = list(range(max(by_seed) + 1, max(by_seed) + 1 + len(again)))
    by_seed |= dict(zip(twins, again, strict=True))
    ordered = dict(sorted(by_seed.items()))
    return Group(members={number: found[at] for number, at in ordered.items()}, places=ordered, twins=twins)


def once(records: Iterable[Record]) -> list[Record]:
    """One record of each attack."""
    return list({attack_key(record): record for record in records}.values())
