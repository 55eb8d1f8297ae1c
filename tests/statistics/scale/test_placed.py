"""What is put on a scale that is there, by a few rows."""

import numpy as np
import pytest
from scale_worlds import abilities
from scipy.special import expit

from holdfast.statistics.scale.placed import place_item, place_subject

SLOPES = np.array([0.8, 1.0, 1.4, 2.0])


def new_item(*subjects):
    """True difficulty 0.7, slope 1.4, without noise."""
    ability = abilities()[list(subjects)]
    return place_item(ability, expit(1.4 * (ability - 0.7)), SLOPES, 0.01)


def test_a_new_item_is_placed_by_a_few_rows():
    placed = new_item(2, 8, 12, 16, 21)
    assert placed.place == pytest.approx(0.7, abs=0.1)
    assert placed.slope == pytest.approx(1.4, abs=0.2)
    assert placed.low < 0.7 < placed.high


def test_two_rows_place_it_less_surely_than_five():
    few, many = new_item(8, 12), new_item(2, 8, 12, 16, 21)
    assert few.high - few.low > many.high - many.low


def test_a_new_subject_is_placed_by_its_scores():
    """One item at 0 with slope 1 and a score of sigmoid(.5); its interval is 1.96 * .05 / (p (1 - p))."""
    value = float(expit(0.5))
    placed = place_subject(np.ones(1), np.zeros(1), np.full(1, value), 0.05)
    assert placed.place == pytest.approx(0.5, abs=1e-4)
    assert placed.slope is None
    assert placed.high - placed.place == pytest.approx(1.959964 * 0.05 / (value * (1 - value)), rel=1e-3)


def test_what_scores_do_not_hold_has_no_interval():
    """A score of 1 on one item: any ability far enough up will do."""
    placed = place_subject(np.ones(1), np.zeros(1), np.ones(1), 0.02)
    assert (placed.low, placed.high) == (None, None)
