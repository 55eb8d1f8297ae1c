"""Models and attacks that stand at an end of the scale: told from the rest, and placed afterwards by a bound."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.statistics.scale.bound import bound
from holdfast.statistics.scale.fit import Scale
from holdfast.statistics.scale.scores import Scores

Bounds = dict[str, tuple[float | None, float | None]]
"""(low, high) by name."""


@dataclass(frozen=True, kw_only=True)
class Ends:
    """Who stands at an end of the scale."""

    durable: NDArray[np.bool_]
    """[subjects]: no attack succeeded."""
    weak: NDArray[np.bool_]
    """[items]: it broke nothing."""
    strong: NDArray[np.bool_]
    """[items]: it broke everything."""


def informative(given: Scores, *, keep: str) -> tuple[NDArray[np.bool_], Ends]:
    """The rows that tell anything but an end, and whose rows they are not."""
    subjects, items = len(given.subjects), len(given.items)
    durable, weak, strong = (np.zeros(count, dtype=bool) for count in (subjects, items, items))
    left, before = np.ones(len(given), dtype=bool), -1
    # What is left out may leave others with nothing but an end.
    while left.sum() != before:
        before, rest = left.sum(), given.kept(left)
        durable |= rest.saturated(rest.subject, subjects, 1.0)
        durable[given.subjects.index(keep)] = False
        rest = given.kept(left & ~durable[given.subject])
        weak |= rest.saturated(rest.item, items, 1.0)
        strong |= rest.saturated(rest.item, items, 0.0) & ~weak
        left = ~(durable[given.subject] | weak[given.item] | strong[given.item])
    return left, Ends(durable=durable, weak=weak, strong=strong)


def bounds(given: Scores, scale: Scale, ends: Ends) -> tuple[Bounds, Bounds]:
    """(low, high) of the durability of models, and of the strength of attacks, that stand at an end."""
    on = {name: at for at, name in enumerate(scale.scores.items)}
    of = {name: at for at, name in enumerate(scale.scores.subjects)}
    models: Bounds = {}
    for place in np.flatnonzero(ends.durable):
        rows = np.flatnonzero(given.subject == place)
        rows = rows[[given.items[item] in on for item in given.item[rows]]]
        known = np.array([on[given.items[item]] for item in given.item[rows]], dtype=np.intp)
        if len(rows):
            low = bound(scale.slope[known], scale.difficulty[known], given.value[rows], given.noise[rows])
            models[given.subjects[place]] = (low, None)
    attacks: Bounds = {}
    for place in np.flatnonzero(ends.weak | ends.strong):
        rows = np.flatnonzero(given.item == place)
        rows = rows[[given.subjects[subject] in of for subject in given.subject[rows]]]
        ability = scale.ability[[of[given.subjects[subject]] for subject in given.subject[rows]]]
        if not len(rows):
            continue
        # Whose slope is not known: the anchor's is taken.
        sharp = np.ones(len(rows))
        if ends.strong[place]:
            low = bound(sharp, ability, 1 - given.value[rows], given.noise[rows])
            attacks[given.items[place]] = (low, None)
        else:
            high = bound(sharp, -ability, given.value[rows], given.noise[rows])
            attacks[given.items[place]] = (None, None if high is None else -high)
    return models, attacks
