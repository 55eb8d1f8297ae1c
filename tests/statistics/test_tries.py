"""The best of some attacks drawn at random, against numbers worked by hand and against every draw there is."""

import itertools
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import ConfigError
from holdfast.statistics.survival import Break
from holdfast.statistics.tries import Best, Tried, cost_curve, cost_to_break, expected_maximum, harm_curve

NEVER = Break(cost=10, censored=True)
FAILED = Break(cost=0, censored=True, settled=False)

harms = st.lists(st.sampled_from([0, 0.1, 0.3, 0.5, 0.9, 1]), min_size=1, max_size=5)
costs = st.lists(st.sampled_from([1, 2, 3, 5, None]), min_size=1, max_size=5)
either = st.booleans()


def at(*costs):
    """Breaks at these costs; None never breaks."""
    return [NEVER if cost is None else Break(cost=cost, censored=False) for cost in costs]


def draws(values, tries, replace):
    """Every draw there is, each as likely as another."""
    return list(itertools.product(values, repeat=tries) if replace else itertools.combinations(values, tries))


def test_two_of_three_on_paper():
    """0, .5 and 1. Without replacement three pairs, with maxima .5, 1, 1: 2.5 / 3. With it nine, of which one has
    its maximum at 0, three at .5, five at 1: 6.5 / 9, which is less."""
    assert expected_maximum([0.5, 1, 0], 2) == pytest.approx(2.5 / 3)
    assert expected_maximum([0.5, 1, 0], 2, replace=True) == pytest.approx(6.5 / 9)


def test_one_try_is_the_mean_and_all_are_the_maximum():
    values = [0.1, 0.9, 0.3, 0.3]
    assert expected_maximum(values, 1) == expected_maximum(values, 1, replace=True) == pytest.approx(0.4)
    assert expected_maximum(values, 4) == pytest.approx(0.9)
    assert expected_maximum(values, 10_000, replace=True) == pytest.approx(0.9)


def test_nothing_is_known_of_more_tries_than_were_made():
    assert expected_maximum([0.1, 0.9], 3) is None
    assert expected_maximum([], 1) is None
    assert expected_maximum([None, None], 1, replace=True) is None
    assert cost_to_break(at(1, 2), 3) == Tried(tries=3, broken=None, cost=None, n=2, left_out=0)
    assert cost_to_break([], 1) == Tried(tries=1, broken=None, cost=None, n=0, left_out=0)


@pytest.mark.parametrize("tries", [0, -1])
def test_no_tries(tries):
    with pytest.raises(ConfigError, match=f"tries: {tries} is out of range: expected 1 or more"):
        expected_maximum([0.5], tries)
    with pytest.raises(ConfigError, match="tries"):
        cost_to_break(at(1), tries, replace=True)


def test_the_cost_of_two_of_four_on_paper():
    """Broken at 4 and at 8; two attacks never break. Of six pairs one has neither: 5/6. The least cost is 4 in
    three pairs, a half. Drawn with replacement, 2/4 squared have neither: 3/4; 4 is missed by 3/4 squared =
    9/16, so the median is 8."""
    assert cost_to_break(at(8, None, 4, None), 2) == Tried(
        tries=2, broken=pytest.approx(5 / 6), cost=4, n=4, left_out=0
    )
    again = cost_to_break(at(8, None, 4, None), 2, replace=True)
    assert (again.broken, again.cost) == (0.75, 8)


def test_more_likely_than_not_nothing_broke():
    """One of three breaks: 1/3 for one try, 2/3 for two, 1 for all."""
    found = cost_curve(at(7, None, None))
    assert [one.broken for one in found] == pytest.approx([1 / 3, 2 / 3, 1])
    assert [one.cost for one in found] == [None, 7, 7]
    assert cost_to_break(at(7, None), 1).cost == 7  # as likely as not
    assert [one.cost for one in cost_curve(at(None, None))] == [None, None]
    assert [one.broken for one in cost_curve(at(None, None))] == [0, 0]


def test_what_failed_is_left_out_and_counted():
    """A model that crashes attacks does not look harder to break, nor easier."""
    assert expected_maximum([0.5, None, 1, None, 0], 2) == expected_maximum([0.5, 1, 0], 2)
    assert harm_curve([None, 0.4]) == [Best(tries=1, harm=0.4, n=1, left_out=1)]
    assert cost_to_break([FAILED, *at(4, None)], 1) == Tried(tries=1, broken=0.5, cost=4, n=2, left_out=1)
    assert len(cost_curve([FAILED, *at(4, None)])) == 2
    assert harm_curve([]) == cost_curve([FAILED]) == []


@given(harms, st.integers(1, 4), either)
def test_every_draw_there_is_has_that_maximum_on_average(values, tries, replace):
    every = draws(values, tries, replace)
    found = expected_maximum(values, tries, replace=replace)
    assert found == (pytest.approx(mean(map(max, every))) if every else None)


@given(costs, st.integers(1, 4), either)
def test_every_draw_there_is_breaks_as_often_and_as_cheaply(values, tries, replace):
    """The median of the least costs, where one that never breaks costs more than any."""
    every = draws([float("inf") if value is None else value for value in values], tries, replace)
    found = cost_to_break(at(*values), tries, replace=replace)
    if not every:
        assert (found.broken, found.cost) == (None, None)
        return
    least = sorted(map(min, every))
    median = least[(len(least) - 1) // 2]
    assert found.broken == pytest.approx(mean(cost < float("inf") for cost in least))
    assert found.cost == (None if median == float("inf") else median)


@given(st.lists(st.floats(0, 1) | st.none(), max_size=40), either)
def test_more_tries_never_do_less_harm(values, replace):
    found = [one.harm for one in harm_curve(values, replace=replace)]
    assert all(one <= other + 1e-12 for one, other in itertools.pairwise(found))
    for tries, harm in enumerate(found, 1):
        assert expected_maximum(values, tries, replace=True) <= harm + 1e-12  # biased downwards


@given(st.lists(st.integers(1, 50) | st.none(), max_size=40), either)
def test_more_tries_never_cost_more(values, replace):
    found = cost_curve(at(*values), replace=replace)
    for one, other in itertools.pairwise(found):
        assert one.broken <= other.broken + 1e-12
        assert one.cost is None or other.cost <= one.cost


@given(costs, st.integers(1, 5), either)
def test_a_failed_run_changes_nothing_but_the_count(values, tries, replace):
    before = cost_to_break(at(*values), tries, replace=replace)
    after = cost_to_break([*at(*values), FAILED], tries, replace=replace)
    assert (after.broken, after.cost, after.n, after.left_out) == (before.broken, before.cost, before.n, 1)


def test_many_attacks_are_no_burden():
    """A thousand, of which the worst is 1: C(999, 499) / C(1000, 500) = 1/2 of the halves have it."""
    assert expected_maximum([0] * 999 + [1], 500) == pytest.approx(0.5)
