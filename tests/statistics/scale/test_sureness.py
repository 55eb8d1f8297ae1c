"""Intervals, rows that are left out, and which to take next."""

import numpy as np
import pytest
from scale_worlds import DIFFICULTIES, abilities, drawn

from holdfast.statistics.scale.fit import Anchor, Penalty, fit
from holdfast.statistics.scale.held_out import held_out
from holdfast.statistics.scale.resamples import resampled
from holdfast.statistics.scale.scores import scores
from holdfast.statistics.scale.wanted import wanted

FAINT = Penalty(strength=1e-3)


def _scale(**more):
    return fit(drawn(**{"noise": 0.05, **more}), Anchor(item="item 0"), FAINT)


def test_intervals_hold_the_fit_and_mostly_the_truth():
    scale = _scale()
    sure = resampled(scale, 60)
    assert (sure.ability[0] < sure.ability[1]).all()
    inside = (sure.ability[0] <= abilities()) & (abilities() <= sure.ability[1])
    assert inside.mean() >= 0.75
    truth = np.array(DIFFICULTIES)
    assert ((sure.difficulty[0] <= truth) & (truth <= sure.difficulty[1])).mean() >= 0.6
    # The anchor's slope is 1 by definition.
    np.testing.assert_allclose(sure.slope[:, 0], 1)


def test_intervals_do_not_depend_on_how_many_are_at_work():
    scale, told = _scale(count=8), []
    one, two = resampled(scale, 6, told=told.append), resampled(scale, 6, workers=2)
    np.testing.assert_array_equal(one.ability, two.ability)
    assert told == [1, 2, 3, 4, 5, 6]


def test_few_rows_have_no_interval():
    rows = [("a", f"item {one}", 0.2 + 0.1 * one) for one in range(4)] + [("b", "item 0", 0.5), ("b", "item 1", 0.6)]
    sure = resampled(fit(scores(rows), Anchor(item="item 0")), 10)
    assert np.isnan(sure.ability[:, 1]).all()
    assert not np.isnan(sure.ability[:, 0]).any()


def test_rows_that_are_left_out_are_foretold_better_than_by_means():
    found = held_out(_scale(noise=0.03))
    assert found
    assert found.rows == 24 * 6
    assert found.error < 0.06 < found.means


def test_nothing_can_be_left_out_of_one_row():
    assert held_out(fit(scores([("a", "x", 0.5)]), Anchor(item="x"))) is None


def test_what_tells_most_is_where_least_is_known():
    """Subject b has been on one item only, c on all but one: so b's next score tells more."""
    rows = [(name, f"item {one}", value) for name in "acd" for one, value in enumerate((0.3, 0.5, 0.7, 0.6))]
    rows = [row for row in rows if row[:2] != ("c", "item 1")] + [("b", "item 0", 0.4)]
    scale = fit(scores(rows), Anchor(item="item 0"))
    found = wanted(scale)
    assert {(one.subject, one.item) for one in found} == {
        ("b", "item 1"),
        ("b", "item 2"),
        ("b", "item 3"),
        ("c", "item 1"),
    }
    assert [one.subject for one in found] == ["b", "b", "b", "c"]
    assert all(one.information > 0 and 0 < one.expected < 1 for one in found)
    assert wanted(scale, [("c", "item 1")])[0].information == pytest.approx(found[-1].information)
    assert wanted(scale, []) == []
