"""What is put on a scale that is there: by a few rows, or at an end."""

import numpy as np
import pytest
from scale_worlds import abilities, drawn
from scipy.special import expit

from holdfast.statistics.scale.fit import Anchor, Penalty, fit
from holdfast.statistics.scale.placed import bound, place_item


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


def test_a_new_item_is_placed_by_a_few_rows():
    """True difficulty 0.7, slope 1.4, five subjects."""
    scale = fit(drawn(), Anchor(item="item 0"), Penalty(strength=1e-4))
    rows = [(f"subject {one}", float(expit(1.4 * (abilities()[one] - 0.7)))) for one in (2, 8, 12, 16, 21)]
    placed = place_item(scale, rows)
    assert placed.difficulty == pytest.approx(0.7, abs=0.1)
    assert placed.slope == pytest.approx(1.4, abs=0.2)
    assert placed.low < 0.7 < placed.high


def test_two_rows_place_it_less_surely_than_five():
    scale = fit(drawn(), Anchor(item="item 0"), Penalty(strength=1e-4))
    rows = [(f"subject {one}", float(expit(1.4 * (abilities()[one] - 0.7)))) for one in (2, 8, 12, 16, 21)]
    few, many = place_item(scale, rows[1:3]), place_item(scale, rows)
    assert few.high - few.low > many.high - many.low
