"""Kaplan-Meier and the log-rank test against numbers worked by hand, and against a published example."""

import pytest
from batteries import batteries, failing, thresholds, units
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from holdfast.statistics.crossing import crossing
from holdfast.statistics.survival import Break, breaks, log_rank, median_cost, survival
from verdict.made import BREAKS, HOLDS, record


def seen(broke=(), held=()):
    return [*(Break(cost=cost, censored=False) for cost in broke), *(Break(cost=cost, censored=True) for cost in held)]


some = st.builds(
    seen, st.lists(st.integers(0, 9), max_size=8).map(tuple), st.lists(st.integers(0, 9), max_size=8).map(tuple)
)

# Freireich et al. 1963: weeks of remission of leukaemia, under 6-mercaptopurine and under placebo.
TREATED = seen((6, 6, 6, 7, 10, 13, 16, 22, 23), (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35))
PLACEBO = seen((1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23))


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (record("defended", BREAKS, batch=4), Break(cost=8, censored=False)),  # held at 1 step of 4, broken at 2
        (record("defended", HOLDS, batch=4), Break(cost=40, censored=True)),  # 10 steps of 4
        (record("defended", (0, 0.1, 0.5, 0.6), failed="diverged"), Break(cost=2, censored=False)),  # broke first
        (record("defended", (0, 0.1, 0.1), failed="diverged"), Break(cost=2, censored=True, settled=False)),
        (record("defended", (0,), failed="diverged"), Break(cost=0, censored=True, settled=False)),
        (record("defended", (), failed="out of memory"), Break(cost=0, censored=True, settled=False)),
        (record("defended", (None,) * 6), Break(cost=0, censored=True, settled=False)),  # nothing was measured
        (record("defended", (0, 0, 0, 0, 0.1, 0.9)), Break(cost=5, censored=True, settled=False)),  # or a flicker
    ],
)
def test_a_break_on_paper(run, expected):
    assert breaks([run], 0.3) == [expected]


def test_breaks_keep_the_order_and_have_units():
    runs = [record("defended", HOLDS, batch=4, pool=20), record("defended", BREAKS)]
    assert [one.cost for one in breaks(runs, 0.3, "steps")] == [10, 2]
    assert [one.cost for one in breaks(runs, 0.3, "examples")] == [20, 2]


def test_five_attacks_on_paper():
    """Broken at 1, 3 and 5; 2 and 5 are censored. At 1 four of five are left: 4/5. Two leaves the count of
    four, so at 3 two of three are left: 4/5 x 2/3 = 8/15. At 5 one of two breaks: 8/15 x 1/2 = 4/15.

    The interval at 3: Greenwood's sum is 1/(5 x 4) + 1/(3 x 2) = .21667, its root .46547; log(8/15) =
    -.62861. So 8/15 to the power exp(+-1.95996 x .46547 / .62861) = exp(+-1.45132) = 4.26875 or .23426:
    .0683 to .8631.
    """
    found = survival(seen((1, 3, 5), (2, 5)))
    assert found.costs == [1, 2, 3, 5]
    assert found.share == pytest.approx([4 / 5, 4 / 5, 8 / 15, 4 / 15])
    assert (found.low[2], found.high[2]) == (pytest.approx(0.0683, abs=1e-4), pytest.approx(0.8631, abs=1e-4))
    assert (found.n, found.events) == (5, 3)
    assert median_cost(found) == 5  # the first cost at which at most half are left


def test_the_published_remission_times():
    """Kaplan-Meier of the treated at 6, 10 and 23 weeks; median 23 against 8 weeks; chi2 16.79 (Freireich et
    al. 1963, as worked in Kleinbaum & Klein, "Survival Analysis", chapter 2)."""
    treated, placebo = survival(TREATED), survival(PLACEBO)
    at = dict(zip(treated.costs, treated.share, strict=True))
    assert (at[6], at[10], at[23]) == pytest.approx((0.857, 0.753, 0.448), abs=5e-4)
    assert (median_cost(treated), median_cost(placebo)) == (23, 8)
    assert log_rank(TREATED, PLACEBO) == pytest.approx(stats.chi2.sf(16.79, 1), rel=0.01)


def test_half_is_half_whatever_the_rounding():
    """Of ten, five break at ten costs in turn: .9 x 8/9 x 7/8 x 6/7 x 5/6 is a half on paper."""
    assert median_cost(survival(seen((1, 2, 3, 4, 5), (6,) * 5))) == 5
    assert median_cost(survival(seen((1, 2, 3, 4), (6,) * 6))) is None


def test_nothing_was_attacked():
    found = survival([])
    assert (found.costs, found.share, found.low, found.high, found.n, found.events) == ([], [], [], [], 0, 0)
    assert median_cost(found) is None


def test_nothing_broke():
    found = survival(seen(held=(1, 2)))
    assert (found.share, found.low, found.high, found.events) == ([1, 1], [None, None], [None, None], 0)
    assert median_cost(found) is None


def test_everything_broke():
    """Broken at no cost by one of two, at 4 by the other: the share falls to 1/2 and to 0, where no interval is."""
    found = survival(seen((0, 4)))
    assert (found.costs, found.share) == ([0, 4], [0.5, 0])
    assert 0 < found.low[0] < 0.5 < found.high[0] < 1
    assert (found.low[1], found.high[1]) == (None, None)
    assert median_cost(found) == 0


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (seen(), seen((1,))),
        (seen((1,)), seen()),
        (seen(held=(1, 2)), seen(held=(3,))),  # no break
        (seen((5,)), seen(held=(1,))),  # nobody was left on the other side
        (seen((1,)), seen((1,))),  # both at once: no order to judge
    ],
)
def test_no_test_where_nothing_can_be_told(a, b):
    assert log_rank(a, b) is None


def test_log_rank_on_paper():
    """A breaks at 1 and 2, B is watched to 1 and to 3. At 1 two of four at risk are A's: expected 2/4,
    variance 1/4. At 2 one of two: 1/2, 1/4. z = (2 - 1) / sqrt(1/2) = 1.41421, p = .1573."""
    assert log_rank(seen((1, 2)), seen(held=(1, 3))) == pytest.approx(0.1573, abs=1e-4)


@given(some)
def test_a_curve_falls_within_its_interval(broke):
    found = survival(broke)
    assert found.costs == sorted({one.cost for one in broke})
    assert found.share == sorted(found.share, reverse=True)
    for low, share, high in zip(found.low, found.share, found.high, strict=True):
        assert 0 <= share <= 1
        assert (low is None) == (high is None)
        assert low is None or 0 <= low <= share + 1e-9 <= high + 2e-9 <= 1 + 2e-9


@given(some, st.integers(0, 9))
def test_a_censored_attack_never_lowers_the_curve(broke, cost):
    """Nor can it raise it above 1: at every cost the share is at least what it was."""
    before, after = survival(broke), survival([*broke, Break(cost=cost, censored=True, settled=False)])
    for at, share in zip(before.costs, before.share, strict=True):
        assert after.share[after.costs.index(at)] >= share - 1e-12


@given(some, some)
def test_the_log_rank_test_has_no_sides(one, other):
    p = log_rank(one, other)
    assert p is None or 0 <= p <= 1
    assert log_rank(other, one) == (None if p is None else pytest.approx(p))
    assert log_rank(one, one) in (None, pytest.approx(1))


@given(batteries(), thresholds, units, st.data())
def test_a_failed_run_is_never_known_to_hold_further(battery, threshold, unit, data):
    """Cut short, a run breaks where it broke, or is censored no later than before; it never reads as settled."""
    for run in battery[1]:
        cut = data.draw(failing(run))
        before, after = breaks([run, cut], threshold, unit)
        found = crossing(run, threshold, unit)
        assert before.cost == (found.below if before.censored else found.at)
        assert after == before or after.censored
        assert not after.censored or (after.cost <= found.below and not after.settled)
