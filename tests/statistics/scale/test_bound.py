"""Who stands at an end of a scale: how far up it at least."""

import numpy as np
import pytest

from holdfast.statistics.scale.bound import bound


def test_a_bound_is_where_the_misfit_is_2_7_standard_errors_squared():
    """One item at 0 with slope 1, score 1 with standard error .1: 1 - sigmoid(a) = .1 sqrt(2.7055), a = 1.625."""
    one, zero = np.ones(1), np.zeros(1)
    assert bound(one, zero, one, np.full(1, 0.1)) == pytest.approx(np.log(1 / 0.1645 - 1), abs=0.01)


def test_a_bound_is_nearer_with_less_noise_and_higher_on_harder_items():
    ones = np.ones(3)
    plain = bound(ones, np.zeros(3), ones, np.full(3, 0.05))
    assert bound(ones, np.zeros(3), ones, np.full(3, 0.02)) > plain
    assert bound(ones, np.full(3, 2.0), ones, np.full(3, 0.05)) == pytest.approx(plain + 2, abs=0.01)


def test_there_is_no_bound_where_any_ability_would_do():
    assert bound(np.ones(1), np.zeros(1), np.ones(1), np.full(1, 5.0)) is None
