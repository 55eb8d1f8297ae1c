"""The end of a scale: how far up it one must be at least, who has nothing but scores of 1."""

from typing import Final

import numpy as np
from scipy.special import expit

from holdfast.statistics.scale.scores import Floats

FARTHEST: Final = 20.0
"""From the middle, of what is put on a scale that is fitted already."""
LEAST_NOISE: Final = 0.02
"""Of a score whose standard error nobody knows, or of which all answers were alike."""
_STEPS: Final = 8001
_WORSE: Final = 2.705543454095404
"""The 90 % point of chi-squared with one degree of freedom: a one-sided bound of 95 % by profile likelihood."""


def bound(slope: Floats, at: Floats, value: Floats, noise: Floats) -> float | None:
    """The least ability of a subject with scores of 1 throughout; None where any ability would do.

    Args:
        slope: [rows], of the items that it was scored on.
        at: [rows], their difficulties.
        value: [rows], the scores; within noise of 1.
        noise: [rows], their standard errors; at least .02 is taken.
    """
    abilities = np.linspace(-FARTHEST, FARTHEST, _STEPS)
    expected = expit(slope * (abilities[:, None] - at))
    noise = np.maximum(noise, LEAST_NOISE)
    misfit = np.sum(((expected - value) / noise) ** 2, axis=1)
    worse = np.flatnonzero(misfit - misfit.min() > _WORSE)
    worse = worse[worse < misfit.argmin()]
    return float(abilities[worse[-1] + 1]) if len(worse) else None
