"""Scores of some subjects on some items, as many of them as there are: what a scale is fitted to."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from holdfast.errors import DataError

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

_NOISES = 3.0
"""Standard errors within which a score counts as 0, or as 1: those of the negative control."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Shares in [0, 1], one a row. A subject may have several rows of one item, as of several seeds."""

    subjects: tuple[str, ...]
    items: tuple[str, ...]
    subject: Places
    """[rows]: where each row's subject stands in `subjects`."""
    item: Places
    """[rows]: the same of `items`."""
    value: Floats
    """[rows]"""
    noise: Floats
    """[rows]: standard errors of the values; 0 where nothing is known of them."""

    def __len__(self) -> int:
        return len(self.value)

    def kept(self, rows: NDArray[np.bool_]) -> "Scores":
        """Some of the rows; subjects and items stay where they are."""
        return replace(
            self, subject=self.subject[rows], item=self.item[rows], value=self.value[rows], noise=self.noise[rows]
        )

    def saturated(self, places: Places, count: int, end: float) -> NDArray[np.bool_]:
        """Which subjects (places=self.subject) or items (self.item) have no row off an end, 0 or 1, but by noise."""
        off = np.abs(self.value - end) > _NOISES * self.noise
        seen = np.bincount(places, minlength=count) > 0
        return seen & (np.bincount(places, weights=off, minlength=count) == 0)

    def joined(self, item: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which subjects, and which items, are joined to an item by a chain of rows: only those share a scale."""
        nodes = len(self.subjects) + len(self.items)
        edges = coo_array((np.ones(len(self)), (self.subject, len(self.subjects) + self.item)), shape=(nodes, nodes))
        _, part = connected_components(edges, directed=False)
        alike = part == part[len(self.subjects) + item]
        return alike[: len(self.subjects)], alike[len(self.subjects) :]


def scores(rows: Iterable[tuple[str, str, float]], noise: Iterable[float] | None = None) -> Scores:
    """Scores from (subject, item, share).

    Args:
        rows: in any order; subjects and items stand in the order in which they come.
        noise: the standard error of each row.

    Raises:
        DataError: there is no row, or a value is no share in [0, 1]; the message names it.
    """
    listed = list(rows)
    if not listed:
        raise DataError("there is no score to fit a scale to.")
    for subject, item, value in listed:
        if not 0 <= value <= 1:
            raise DataError(f"{subject} has {value:g} on {item}; expected a share from 0 to 1.")
    subjects = tuple(dict.fromkeys(subject for subject, _, _ in listed))
    items = tuple(dict.fromkeys(item for _, item, _ in listed))
    at = {name: place for place, name in enumerate(subjects)}
    on = {name: place for place, name in enumerate(items)}
    return Scores(
        subjects=subjects,
        items=items,
        subject=np.array([at[subject] for subject, _, _ in listed], dtype=np.intp),
        item=np.array([on[item] for _, item, _ in listed], dtype=np.intp),
        value=np.array([value for _, _, value in listed], dtype=np.float64),
        noise=np.zeros(len(listed)) if noise is None else np.array(list(noise), dtype=np.float64),
    )
