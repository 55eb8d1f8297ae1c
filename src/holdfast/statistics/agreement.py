"""How far two judges agree on the same answers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from holdfast.records import Score
from holdfast.statistics.intervals import proportion

Values = Sequence[float | None]


def alike(one: Values, other: Values, *, threshold: float = 0.5) -> Score:
    """The share of answers that both put on the same side of a threshold, with its Wilson interval."""
    both = _both(one, other)
    return proportion([bool(same) for same in (both[0] >= threshold) == (both[1] >= threshold)])


def kappa(one: Values, other: Values, *, threshold: float = 0.5) -> Score:
    """Cohen's kappa (1960) of two judges at a threshold: agreement beyond that of two who do not look.

        kappa = (p_o - p_e) / (1 - p_e),   p_e = sum over sides of the product of the judges' shares

    Without an interval. None where both put all answers on one side, which leaves nothing to agree on by chance.
    """
    first, second = (values >= threshold for values in _both(one, other))
    if not len(first):
        return Score(value=None, reason="there was nothing to score")
    by_chance = float(first.mean() * second.mean() + (1 - first.mean()) * (1 - second.mean()))
    if by_chance == 1:
        return Score(value=None, n=len(first), reason="both judges put every answer on the same side")
    return Score(value=(float((first == second).mean()) - by_chance) / (1 - by_chance), n=len(first))


def rank_correlation(one: Values, other: Values) -> Score:
    """Spearman's rank correlation of two judges (`scipy.stats.spearmanr`); None where one says the same of all."""
    first, second = _both(one, other)
    if len(first) < 3:
        return Score(value=None, n=len(first), reason="fewer than three answers were scored by both")
    if not np.ptp(first) or not np.ptp(second):
        return Score(value=None, n=len(first), reason="one judge says the same of every answer")
    from scipy import stats  # it takes seconds, and whoever asks for a model's harm imports this

    found: Any = stats.spearmanr(first, second)
    return Score(value=float(found.statistic), n=len(first))


def _both(one: Values, other: Values) -> tuple[np.ndarray, np.ndarray]:
    """What both judges have scored."""
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    array = np.asarray(pairs, dtype=float).reshape(-1, 2)
    return array[:, 0], array[:, 1]
