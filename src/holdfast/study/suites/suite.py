"""What a suite is made of: attacks, each with the smallest tier that has it and what it cannot do without."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from holdfast.errors import UnknownName
from holdfast.study.methods import Method
from holdfast.study.suites.needs import Need

Tier = Literal["quick", "standard", "full"]
TIERS: Final[tuple[Tier, ...]] = get_args(Tier)
"""From the smallest; each has all that those before it have."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attack of a suite, or a grid of one."""

    attack: Method
    tier: Tier
    """The smallest that has it."""
    needs: tuple[Need, ...] = ()
    """What it cannot do without; where a domain or a model lacks that, it is left out."""
    draws: int | None = None
    """With how many seeds it is run in any tier: 1 where nothing is drawn. None leaves it to the tier."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How thorough one tier is, beside the attacks that it has."""

    draws: int
    """Seeds of each attack."""
    widen: int
    """How often the range of learning rates is widened where the cheapest break lies on its edge."""


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A battery under a name. What is changed in it changes its version, so that two audits can be compared."""

    name: str
    version: str
    ladder: tuple[int, ...]
    """Optimiser steps after which every metric is measured; those past an attack's end are left out."""
    sizes: Mapping[Tier, Size]
    attempts: tuple[Attempt, ...]
    """Those that take longest first, so that no worker is left alone with one at the end."""

    def of(self, tier: Tier) -> list[Attempt]:
        """What a tier has: its own attacks, and those of every smaller one."""
        return [one for one in self.attempts if TIERS.index(one.tier) <= TIERS.index(tier)]


def tier_of(name: str) -> Tier:
    """A tier by its name.

    Raises:
        UnknownName: there is none of that name.
    """
    for tier in TIERS:
        if tier == name:
            return tier
    raise UnknownName("tier", name, TIERS)
