"""A mean of what nearly all of was scored, by hand."""

import pytest

from holdfast.statistics.gaps import mean_of_most
from holdfast.statistics.intervals import mean


def test_of_all_it_is_the_mean():
    values = [0.0, 0.5, 1.0, 1.0]
    assert mean_of_most(values) == mean(values)


def test_a_few_may_be_missing():
    """19 of 20 are known, 10 of them 1: 10/19. The bounds of those reach to where the twentieth is 0, or is 1."""
    known = [1.0] * 10 + [0.0] * 9
    found, of_known = mean_of_most([*known, None]), mean(known)
    assert (found.value, found.n) == (pytest.approx(10 / 19), 19)
    assert found.low == pytest.approx(of_known.low * 19 / 20)
    assert found.high == pytest.approx(of_known.high * 19 / 20 + 1 / 20)
    assert found.reason == "1 of 20 answers could not be scored"


def test_with_more_missing_there_is_no_value():
    found = mean_of_most([0.5] * 18 + [None] * 2)
    assert (found.value, found.reason) == (None, "2 of 20 answers could not be scored")
    assert mean_of_most([0.5] * 18 + [None] * 2, tolerated=0.1).value == 0.5
    assert mean_of_most([]).value is None
    assert mean_of_most([None], tolerated=1.0).value is None
