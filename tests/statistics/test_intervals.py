"""Intervals against numbers worked by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from holdfast.records import Score
from holdfast.statistics.intervals import mean, mean_of, proportion, share

shares = st.floats(0, 1)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Wilson 1927: (p + z2/2n +- z sqrt(p(1-p)/n + z2/4n2)) / (1 + z2/n), with z = 1.959964."""
    p, z = hits / n, stats.norm.ppf(0.975)
    centre, spread = p + z**2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (centre - spread) / (1 + z**2 / n), (centre + spread) / (1 + z**2 / n)


def test_wilson_on_paper():
    """One of four: p = .25, z2 = 3.8415. Centre (.25 + .4802) / 1.9604 = .3725; spread
    1.96 sqrt(.1875/4 + 3.8415/64) / 1.9604 = 1.96 x .32694 / 1.9604 = .3269. So [.0456, .6994]."""
    score = proportion([True, False, False, False])
    assert (score.value, score.n) == (0.25, 4)
    assert (score.low, score.high) == (pytest.approx(0.0456, abs=1e-4), pytest.approx(0.6994, abs=1e-4))


@given(st.lists(st.booleans(), min_size=1, max_size=300))
def test_wilson_for_any_count(hits):
    score = proportion(hits)
    low, high = wilson(sum(hits), len(hits))
    assert (score.low, score.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))
    assert score.low <= score.value <= score.high


def test_a_mean_has_scipys_bootstrap_interval():
    values = np.linspace(0, 1, 30) ** 2
    expected = stats.bootstrap((values,), np.mean, n_resamples=1000, method="BCa", rng=np.random.default_rng(0))
    score = mean(list(values))
    assert (score.value, score.n) == (pytest.approx(values.mean()), 30)
    assert (score.low, score.high) == tuple(expected.confidence_interval)
    # Near the interval that the normal approximation gives: mean +- 1.96 sd / sqrt(n).
    half = 1.96 * values.std(ddof=1) / math.sqrt(30)
    assert (score.low, score.high) == (
        pytest.approx(values.mean() - half, abs=0.03),
        pytest.approx(values.mean() + half, abs=0.03),
    )


def test_perfect_answers_are_not_certainty():
    """72 answers all right: no resample differs, so the interval is Wilson's, [1 / (1 + z2/72), 1] = [.949, 1]."""
    score = mean([1.0] * 72)
    assert (score.value, score.high) == (1.0, 1.0)
    assert score.low == pytest.approx(1 / (1 + stats.norm.ppf(0.975) ** 2 / 72))
    assert mean([0.0] * 72).high == pytest.approx(1 - score.low)


@given(st.lists(shares, min_size=1, max_size=40))
def test_a_mean_lies_in_its_interval(values):
    score = mean(values)
    assert score.value == pytest.approx(sum(values) / len(values))
    assert 0 <= score.low <= score.value + 1e-9
    assert score.value - 1e-9 <= score.high <= 1


def test_the_same_values_give_the_same_interval():
    values = [0, 0.5, 1, 1, 0.25]
    assert mean(values) == mean(values)
    assert mean(values, confidence=0.5).low > mean(values).low


@pytest.mark.parametrize("score_of", [mean, proportion])
def test_what_was_not_measured_is_none_with_a_reason(score_of):
    nothing = score_of([])
    assert (nothing.value, nothing.low, nothing.high, nothing.n) == (None, None, None, 0)
    assert nothing.reason == "there was nothing to score"
    partly = score_of([1, None, 0])
    assert partly.value is None
    assert partly.reason == "1 of 3 answers could not be scored"


def test_a_share_of_many():
    """Right or wrong: Wilson. Else Student within [0, 1]: of 0, 0, .1 the mean is 1/30 and its lower end below 0."""
    assert share([1, 0, 1]) == proportion([True, False, True])
    found = share([0, 0, 0.1])
    assert (found.value, found.low) == (pytest.approx(1 / 30), 0)
    assert found.high == pytest.approx(1 / 30 + stats.t.ppf(0.975, 2) * 0.1 / 3)  # the standard error is .1 / 3


def test_a_mean_of_figures():
    """(.5 + .7) / 2 = .6; below sqrt(.03^2 + .04^2) / 2 = .025, above sqrt(.06^2 + .08^2) / 2 = .05."""
    parts = {"a": Score(value=0.5, n=10, low=0.47, high=0.56), "b": Score(value=0.7, n=30, low=0.66, high=0.78)}
    found = mean_of(parts)
    assert (found.value, found.n) == (pytest.approx(0.6), 40)
    assert (found.low, found.high) == (pytest.approx(0.575), pytest.approx(0.65))
    assert found.categories == parts


def test_a_mean_of_figures_needs_all():
    found = mean_of({"a": Score(value=0.5), "b": Score(value=None, reason="was not asked")})
    assert (found.value, found.reason) == (None, "b: was not asked")
    assert mean_of({}).reason == "there was nothing to score"
    assert mean_of({"a": Score(value=0.5, n=1)}).low is None
