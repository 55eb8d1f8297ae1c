"""Subjects and items put on a scale that is fitted already: from a few rows, or as a bound where all say the same.

What has only scores of 0, or only of 1, has no place on a scale but an end: any ability high enough explains it as
well. Such a one is left out of a fit and placed afterwards, as one-sided as it is.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import least_squares
from scipy.special import expit

from holdfast.statistics.scale.fit import Scale
from holdfast.statistics.scale.scores import Floats

_FARTHEST: Final = 20.0
_STEPS: Final = 8001
_WORSE: Final = 2.705543454095404
"""The 90 % point of chi-squared with one degree of freedom: a one-sided bound of 95 % by profile likelihood."""
_LEAST_NOISE: Final = 0.02
"""Of a score whose standard error nobody knows, or of which all answers were alike."""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A new item on a scale."""

    difficulty: float
    slope: float
    low: float | None
    """95 % interval of the difficulty by the curvature of the fit; None where its scores do not hold it."""
    high: float | None


def bound(slope: Floats, at: Floats, value: Floats, noise: Floats) -> float | None:
    """The least ability of a subject with scores of 1 throughout; None where any ability would do.

    Args:
        slope: [rows], of the items that it was scored on.
        at: [rows], their difficulties.
        value: [rows], the scores; within noise of 1.
        noise: [rows], their standard errors; at least .02 is taken.
    """
    abilities = np.linspace(-_FARTHEST, _FARTHEST, _STEPS)
    expected = expit(slope * (abilities[:, None] - at))
    noise = np.maximum(noise, _LEAST_NOISE)
    misfit = np.sum(((expected - value) / noise) ** 2, axis=1)
    worse = np.flatnonzero(misfit - misfit.min() > _WORSE)
    worse = worse[worse < misfit.argmin()]
    return float(abilities[worse[-1] + 1]) if len(worse) else None


def place_item(scale: Scale, rows: list[tuple[str, float]]) -> Placed:
    """A new item, by the scores that subjects of a scale have on it; their abilities stay as they are.

    Its slope is drawn to that of the scale's items (mean and spread of their logarithms), which matters where there
    are few rows.

    Args:
        scale: fitted without the item.
        rows: (subject, share).
    """
    ability = np.array([scale.ability[scale.scores.subjects.index(subject)] for subject, _ in rows])
    value = np.array([share for _, share in rows])
    logs = np.log(scale.slope)
    spread = max(float(np.std(logs)), 0.1)
    noise = max(scale.error, _LEAST_NOISE)

    def residuals(theta: Floats) -> Floats:
        missed = expit(np.exp(theta[1]) * (ability - theta[0])) - value
        return np.append(missed / noise, (theta[1] - logs.mean()) / spread)

    solved = least_squares(residuals, [float(np.median(ability)), logs.mean()], bounds=(-_FARTHEST, _FARTHEST))
    information = solved.jac.T @ solved.jac
    held = np.linalg.cond(information) < 1e8 and abs(solved.x[0]) < _FARTHEST - 1
    reach = 1.959964 * float(np.sqrt(np.linalg.inv(information)[0, 0])) if held else None
    return Placed(
        difficulty=float(solved.x[0]),
        slope=float(np.exp(solved.x[1])),
        low=None if reach is None else float(solved.x[0]) - reach,
        high=None if reach is None else float(solved.x[0]) + reach,
    )
