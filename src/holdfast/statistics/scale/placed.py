"""New items and subjects put on a scale that is fitted already, by a few rows: what is on it stays where it is.

What has only scores of 0, or only of 1, has no place but an end: `bound`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares
from scipy.special import expit, ndtri

from holdfast.statistics.scale.bound import FARTHEST, LEAST_NOISE
from holdfast.statistics.scale.scores import Floats


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A new item or subject on a scale."""

    place: float
    """An item's difficulty, or a subject's ability."""
    low: float | None
    """95 % interval of the place by the curvature of the fit; None where its scores do not hold it."""
    high: float | None
    slope: float | None = None
    """Of an item."""


def place_item(ability: Floats, value: Floats, slopes: Floats, error: float) -> Placed:
    """A new item, by the scores that subjects of a scale have on it.

    Its slope is drawn to that of the scale's items (mean and spread of their logarithms), which matters where there
    are few rows.

    Args:
        ability: [rows], of the subjects.
        value: [rows], their scores.
        slopes: [items], of the scale.
        error: by how much the scale misses the scores that it was fitted to; at least .02 is taken.
    """
    logs = np.log(slopes)
    spread = max(float(np.std(logs)), 0.1)
    noise = max(error, LEAST_NOISE)

    def residuals(theta: Floats) -> Floats:
        missed = expit(np.exp(theta[1]) * (ability - theta[0])) - value
        return np.append(missed / noise, (theta[1] - logs.mean()) / spread)

    place, low, high, rest = _solved(residuals, [float(np.median(ability)), float(logs.mean())])
    return Placed(place=place, low=low, high=high, slope=float(np.exp(rest[0])))


def place_subject(slope: Floats, at: Floats, value: Floats, error: float) -> Placed:
    """A new subject, by its scores on items of a scale.

    Args:
        slope: [rows], of the items.
        at: [rows], their difficulties.
        value: [rows], the scores.
        error: as for `place_item`.
    """
    noise = max(error, LEAST_NOISE)

    def residuals(theta: Floats) -> Floats:
        return (expit(slope * (theta[0] - at)) - value) / noise

    place, low, high, _ = _solved(residuals, [float(np.median(at))])
    return Placed(place=place, low=low, high=high)


def _solved(
    residuals: Callable[[Floats], Floats], start: list[float]
) -> tuple[float, float | None, float | None, Floats]:
    """The first parameter with its interval, and the others."""
    solved = least_squares(residuals, start, bounds=(-FARTHEST, FARTHEST))
    information = solved.jac.T @ solved.jac
    place = float(solved.x[0])
    # Where scores do not hold it, its error is as wide as the scale, or infinite.
    error = float(np.sqrt(np.linalg.pinv(information)[0, 0])) if information[0, 0] > 0 else np.inf
    if not 0 < error < FARTHEST or abs(place) >= FARTHEST - 1:
        return place, None, None, solved.x[1:]
    reach = float(ndtri(0.975)) * error
    return place, place - reach, place + reach, solved.x[1:]
