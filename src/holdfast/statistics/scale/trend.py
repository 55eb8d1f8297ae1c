"""How abilities grow with time: the trend of those that were ahead when they came, a forecast, and its back-test.

Source: arXiv 2512.00193, section 3.2.1. Times are years, as 2025.5.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from holdfast.errors import DataError
from holdfast.statistics.scale.fit import Anchor, Penalty, fit
from holdfast.statistics.scale.scores import Floats, Scores

_COVERED: Final = 0.95


@dataclass(frozen=True, kw_only=True)
class Trend:
    """A straight line through abilities by time, by ordinary least squares."""

    slope: float
    """A year."""
    low: float
    high: float
    """95 % interval of the slope."""
    middle: float
    """The mean of the times, where the line is `level` high."""
    level: float
    r2: float
    n: int
    _scatter: float
    """Standard deviation around the line."""
    _spread: float
    """Sum of squares of the times around their mean."""

    def at(self, years: Floats) -> Floats:
        """[3, times]: what is foretold of one subject, and the ends of its 95 % prediction interval."""
        level = self.level + self.slope * (years - self.middle)
        error = self._scatter * np.sqrt(1 + 1 / self.n + (years - self.middle) ** 2 / self._spread)
        reach = stats.t.ppf((1 + _COVERED) / 2, self.n - 2) * error
        return np.array([level, level - reach, level + reach])


@dataclass(frozen=True, kw_only=True)
class BackTest:
    """A forecast that was made with what was known at a time, held against what came."""

    cut: float
    fitted: int
    """Subjects ahead before that, through which the line went."""
    foretold: int
    """Subjects ahead after it."""
    missed: float
    """Mean absolute error."""
    r2: float
    """Against saying the mean of what came; below 0 where that would have been nearer."""
    covered: float
    """Share of them within the 95 % prediction interval."""


def trend(years: Floats, ability: Floats) -> Trend:
    """The line through some abilities.

    Raises:
        DataError: there are fewer than three, or all are of one time.
    """
    if len(years) < 3 or np.ptp(years) == 0:
        raise DataError(f"a trend needs three abilities of different times; there are {len(years)}.")
    line: Any = stats.linregress(years, ability)
    reach = float(stats.t.ppf((1 + _COVERED) / 2, len(years) - 2)) * float(line.stderr)
    missed = ability - (line.intercept + line.slope * years)
    return Trend(
        slope=float(line.slope),
        low=float(line.slope) - reach,
        high=float(line.slope) + reach,
        middle=float(years.mean()),
        level=float(ability.mean()),
        r2=float(line.rvalue) ** 2,
        n=len(years),
        _scatter=float(np.sqrt(np.sum(missed**2) / (len(years) - 2))),
        _spread=float(np.sum((years - years.mean()) ** 2)),
    )


def ahead(years: Floats, ability: Floats) -> NDArray[np.bool_]:
    """Which had the highest ability of all that had come by then."""
    return np.array([score >= ability[years <= when].max() for when, score in zip(years, ability, strict=True)])


def back_test(
    scores: Scores, years: Mapping[str, float], anchor: Anchor, cut: float, penalty: Penalty | None = None
) -> BackTest:
    """Forecast from a time on with the scores of subjects that had come by then, and no other.

    The paper's code fits the scale to all scores, later ones too, and only the line to what was before the cut.

    Args:
        scores: of all times.
        years: when each subject came; those without a time are left out.
        anchor: as in the fit; the anchored item needs scores before the cut.
        cut: the time, in years.
        penalty: as in the fit.

    Raises:
        DataError: too few subjects were ahead before the cut, or none after it.
    """
    dated = np.array([name in years for name in scores.subjects])
    when = np.array([years.get(name, np.nan) for name in scores.subjects])
    early = scores.kept(dated[scores.subject] & (when[scores.subject] <= cut))
    everything = fit(scores, anchor, penalty)
    known = fit(early, anchor, penalty)
    before = np.flatnonzero(np.isin(np.arange(len(when)), early.subject))
    before = before[ahead(when[before], known.ability[before])]
    line = trend(when[before], known.ability[before])
    came = np.flatnonzero(dated)
    came = came[ahead(when[came], everything.ability[came])]
    after = came[when[came] > cut]
    if not len(after):
        raise DataError(f"nothing that came after {cut:.2f} was ahead, so there is nothing to hold a forecast against.")
    foretold, low, high = line.at(when[after])
    found = everything.ability[after]
    off = foretold - found
    return BackTest(
        cut=cut,
        fitted=len(before),
        foretold=len(after),
        missed=float(np.mean(np.abs(off))),
        r2=1 - float(np.sum(off**2)) / float(np.sum((found - found.mean()) ** 2)) if len(after) > 1 else float("nan"),
        covered=float(np.mean((low <= found) & (found <= high))),
    )
