"""The Pareto front by hand: multiplier and utility of the worst seed, and doing nothing at (1, 1)."""

from holdfast.report.league.front import front


def test_who_is_dominated():
    """(4, .85) by (5, .9) in both; (1.5, .9) by (5, .9) in one. (5, .9) and (1.5, 1) each win in one."""
    points = [(5.0, 0.9), (4.0, 0.85), (1.5, 1.0), (1.5, 0.9)]
    assert front(points) == [True, False, True, False]


def test_equals_stand_side_by_side():
    assert front([(5.0, 0.9), (5.0, 0.9), (5.0, 0.8)]) == [True, True, False]


def test_what_is_not_known_is_on_no_front_and_dominates_nothing():
    assert front([None, (2.0, 0.5), None]) == [False, True, False]
    assert front([]) == []


def test_doing_nothing_is_a_choice_too():
    """At (1, 1): as good as it is on the front, worse in one and no better in the other is not."""
    assert front([(1.0, 1.0)]) == [True]
    assert front([(0.9, 1.0)]) == [False]
    assert front([(1.0, 0.99)]) == [False]
    assert front([(0.9, 1.02), (1.1, 0.2)]) == [True, True]
