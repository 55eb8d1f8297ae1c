"""A domain narrowed to some of its harmful categories: what a defence is shown, or what is left out of it.

Generalization (arXiv 2402.16382, section 2) is asked by defending with some categories and attacking
with others; measure with the same categories that the attacker has.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from holdfast.errors import DataError, UnknownName
from holdfast.interfaces import Domain, Pair


class Categories:
    """The `chosen` categories of the `whole`; harmless exchanges, scores and all else are the whole's."""

    def __init__(self, whole: Domain, chosen: Sequence[str]):
        self.whole = whole
        self.chosen = tuple(sorted(set(chosen)))

    def pairs(self, split: str) -> list[Pair]:
        """Those pairs of a split that belong to a chosen category."""
        found, count = self.pool(split)
        if not found:
            raise DataError(f"split {split!r} has no pair of the categories {', '.join(self.chosen)}.")
        return found[:count]

    def pool(self, split: str) -> tuple[list[Pair], int | None]:
        """All pairs of a split that belong to a chosen category, and how many of them stay; None is all."""
        there, count = _pool(self.whole, split)
        return [pair for pair in there if pair.category in self.chosen], count

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)


def categories(domain: Domain, split: str = "evaluation") -> list[str]:
    """The harmful categories of a domain."""
    return sorted({pair.category for pair in _pool(domain, split)[0]} - {""})


def _pool(domain: Domain, split: str) -> tuple[list[Pair], int | None]:
    """What categories are chosen from, and how many pairs then stay: all, but where a domain counts what is chosen."""
    pool = getattr(domain, "pool", None)
    return pool(split) if pool else (domain.pairs(split), None)


def spread_out(chosen: Sequence[str], known: Sequence[str], groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Categories, and in place of each group those that it stands for, as far as they are known.

    Raises:
        UnknownName: a name is neither a known category nor a group.
        DataError: of a group there is no category.
    """
    found: list[str] = []
    for name in chosen:
        members = [name] if name in known else [one for one in groups.get(name, ()) if one in known]
        if not members and name in groups:
            raise DataError(f"none of the group {name!r} ({', '.join(groups[name])}) is among {', '.join(known)}.")
        if not members:
            raise UnknownName("category", name, [*known, *groups])
        found += members
    return found


def only(domain: Domain, chosen: Sequence[str]) -> Domain:
    """The domain narrowed to the chosen categories, or groups of them; none chosen means all of it.

    Raises:
        UnknownName: a category is none of the domain's.
    """
    if not chosen:
        return domain
    return cast(Domain, Categories(domain, spread_out(chosen, categories(domain), domain.groups())))
