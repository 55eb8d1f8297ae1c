"""The paper's three applications: growth and forecasts, algorithmic progress, acceleration."""

import numpy as np
import pytest

from holdfast.errors import DataError
from holdfast.statistics.scale.acceleration import World, drawn, power, steady, turn
from holdfast.statistics.scale.efficiency import efficiency
from holdfast.statistics.scale.fit import Penalty
from holdfast.statistics.scale.trend import ahead, back_test, trend

FAINT = Penalty(strength=1e-3)


def test_who_was_ahead_when_it_came():
    """2 is ahead of nobody later; 1 comes behind 2; of two on one day the better is ahead."""
    years, ability = np.array([2020.0, 2021, 2022, 2023, 2023]), np.array([1.0, 2, 1, 2.5, 3])
    assert ahead(years, ability).tolist() == [True, True, False, False, True]


def test_a_trend_and_its_forecast():
    """Half a unit a year, with errors +-.1: the slope's interval holds .5, 2026 is foretold around 3."""
    years = np.arange(2020.0, 2026)
    ability = 0.5 * (years - 2020) + np.array([0.1, -0.1, 0.1, -0.1, 0.1, -0.1])
    line = trend(years, ability)
    assert line.low < 0.5 < line.high
    level, low, high = line.at(np.array([2026.0]))
    assert low < 3.0 < high
    assert level == pytest.approx(line.level + line.slope * 3.5)
    with pytest.raises(DataError, match="three abilities"):
        trend(years[:2], ability[:2])


def test_a_back_test_knows_nothing_of_later_scores():
    """Steady growth is foretold; where it triples after the cut, it is missed by more."""
    found = {}
    for factor in (1.0, 3.0):
        given, came = drawn(World(factor=factor, models=150, benchmarks=30), seed=1)
        found[factor] = back_test(given, came, steady(given, came, 2027.0), 2027.0, FAINT)
    assert found[1.0].missed < 0.3 < found[3.0].missed
    assert found[1.0].covered > 0.7 > found[3.0].covered


def test_nothing_to_hold_a_forecast_against():
    given, came = drawn(World(models=40, benchmarks=10), seed=1)
    with pytest.raises(DataError, match=r"came after 2040\.00"):
        back_test(given, came, steady(given, came, 2027.0), 2040.0, FAINT)


def test_algorithmic_progress_is_found_again():
    """k = .17 and db/dt = .3: compute falls by exp(.3 / .17) = 5.8 a year. Compute itself grows with time."""
    rng = np.random.default_rng(0)
    years = rng.uniform(2022, 2025, 60)
    logs = 50 + 1.2 * (years - 2022) + rng.normal(0, 1, 60)
    logs[:9] = np.tile([48.0, 50, 52], 3)
    years[:9] = np.repeat([2022.0, 2023, 2024], 3)
    ability = 0.17 * logs + 0.3 * (years - 2022) + rng.normal(0, 0.02, 60)
    family = [f"family {at // 3}" if at < 9 else None for at in range(60)]
    found = efficiency(ability, np.exp(logs), years, family)
    assert found.k == pytest.approx(0.17, abs=0.02)
    assert set(found.families) == {"family 0", "family 1", "family 2"}
    assert found.low < np.exp(0.3 / found.k) < found.high


def test_without_a_family_nothing_is_said_of_compute():
    with pytest.raises(DataError, match="no family has three members"):
        efficiency(np.zeros(4), np.ones(4), np.arange(4.0), ["a", "a", None, None])
    with pytest.raises(DataError, match="does not grow with compute"):
        efficiency(-np.arange(4.0), np.exp(np.arange(4.0)), np.arange(4.0), ["a"] * 4)


def test_where_two_lines_meet():
    """.4 a year until 2024, 1.2 from then on."""
    years = np.linspace(2022, 2026, 41)
    ability = 0.4 * (years - 2022) + 0.8 * np.maximum(0, years - 2024)
    found = turn(years, ability)
    assert found.at == pytest.approx(2024, abs=0.05)
    assert (found.before, found.after) == (pytest.approx(0.4, abs=0.02), pytest.approx(1.2, abs=0.02))
    assert found.accelerated()
    assert not turn(years, 0.4 * (years - 2022)).accelerated()
    assert turn(years[:3], ability[:3]) is None


def test_how_surely_a_time_is_known():
    """The same lines: without noise one of the 50 times fits by far best; with noise +-.3, times years apart do."""
    years = np.linspace(2022, 2026, 41)
    ability = 0.4 * (years - 2022) + 0.8 * np.maximum(0, years - 2024)
    noisy = ability + np.random.default_rng(0).normal(0, 0.3, 41)
    sharp, blunt = turn(years, ability), turn(years, noisy)
    assert sharp.high - sharp.low < 0.2
    assert blunt.high - blunt.low > 2 * (sharp.high - sharp.low)
    assert blunt.low <= blunt.at <= blunt.high


def test_acceleration_is_seen_where_it_is_and_by_looking_often_where_it_is_not():
    """Growth that doubles is mostly seen at the end; steady growth seldom, but oftener by who looks each year."""
    there, absent = (
        power(World(factor=factor, models=80, benchmarks=30), 3, every=1.5, penalty=FAINT) for factor in (2.0, 1.0)
    )
    assert there.seen > absent.seen
    assert there.delay <= 3
    assert absent.seen <= absent.ever
