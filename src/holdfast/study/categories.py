"""A domain narrowed to some of its harmful categories: what a defence is shown, or what is left out of it.

Generalization (arXiv 2402.16382, section 2) is asked by defending with some categories and attacking
with others; measure with the same categories that the attacker has.
"""

from collections.abc import Sequence
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
        found = [pair for pair in self.whole.pairs(split) if pair.category in self.chosen]
        if not found:
            raise DataError(f"split {split!r} has no pair of the categories {', '.join(self.chosen)}.")
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)


def categories(domain: Domain, split: str = "evaluation") -> list[str]:
    """The harmful categories of a domain."""
    return sorted({pair.category for pair in domain.pairs(split)} - {""})


def only(domain: Domain, chosen: Sequence[str]) -> Domain:
    """The domain narrowed to the chosen categories; none chosen means all of it.

    Raises:
        UnknownName: a category is none of the domain's.
    """
    if not chosen:
        return domain
    known = categories(domain)
    for name in chosen:
        if name not in known:
            raise UnknownName("category", name, known)
    return cast(Domain, Categories(domain, chosen))
