"""The most harm within a budget, by hand. One step of batch b costs b FLOPs."""

import pytest

from holdfast.report.league.budgets import FLOPS, STEPS, round_budgets, rungs, within, worst
from holdfast.report.league.rows import Most
from holdfast.statistics.multiplier import attack_key
from verdict.made import record

LOW = (0, 0, 0.1, 0.1, 0.1, 0.1)
"""Of a run to 10 steps, measured at 0, 1, 2, 3, 5 and 10."""


def keys(*records):
    return {attack_key(one) for one in records}


def test_the_worst_of_attacks_and_models():
    """At 2 steps .1 and .4; at 3 the second falls to .2, which an attacker who stops at 2 need not have."""
    one, other = record("defended", LOW), record("defended", (0, 0.3, 0.4, 0.2, 0.2, 0.2))
    asked = keys(one)
    told = [within([[one], [other]], asked, STEPS, at) for at in (0, 1, 2, 3, 10)]
    assert [most.value for most in told] == [0, 0.3, 0.4, 0.4, 0.4]
    assert not any(most.open for most in told)
    assert worst([[one], [other]], asked) == Most(value=0.4)


def test_a_run_that_failed_leaves_it_open():
    """It diverged after 2 steps at .2; the other attack tells .1 at 10, so that .2 is the most that is known of."""
    cut, whole = record("defended", (0, 0, 0.2), failed="diverged"), record("defended", LOW, batch=4)
    asked = keys(cut, whole)
    assert within([[cut, whole]], asked, STEPS, 2) == Most(value=0.2)
    assert within([[cut, whole]], asked, STEPS, 3) == Most(value=0.2, open=True)
    assert worst([[cut, whole]], asked) == Most(value=0.2, open=True)


def test_where_nobody_came_so_far_nothing_is_known():
    cut = record("defended", (0, 0, 0.2), failed="diverged")
    assert within([[cut]], keys(cut), STEPS, 3) == Most()
    assert within([[]], set(), STEPS, 3) == worst([[]], set()) == Most()
    unmeasured = record("defended", (None,) * 6)
    assert within([[unmeasured]], keys(unmeasured), STEPS, 10) == worst([[unmeasured]], set()) == Most()


def test_an_attack_that_was_not_run_leaves_it_open():
    """Two models; the second was not under batch 4."""
    one, other = record("defended", LOW), record("defended", LOW, batch=4)
    found = within([[one, other], [one]], keys(one, other), STEPS, 10)
    assert found == Most(value=0.1, open=True)


def test_an_attack_that_ended_as_planned_has_told_all():
    """3 steps of 10: an attacker with 10 may take this one. A gap at 2 is open from there on, and not before."""
    short = record("defended", (0, 0, 0.1, 0.3), steps=(0, 1, 2, 3))
    assert within([[short]], keys(short), STEPS, 10) == Most(value=0.3)
    gap = record("defended", (0, 0, None, 0.3), steps=(0, 1, 2, 3))
    assert [within([[gap]], keys(gap), STEPS, at) for at in (1, 2, 3)] == [
        Most(value=0), Most(value=0, open=True), Most(value=0.3, open=True),
    ]  # fmt: skip


def test_by_compute_a_small_batch_is_the_cheaper_attack():
    """Batch 4 costs 4 a step: within 4 FLOPs it has one step, .2; batch 1 has three, .1."""
    one, four = record("defended", LOW), record("defended", (0, 0.2, 0.5, 0.5, 0.5, 0.5), batch=4)
    found = [within([[one, four]], keys(one, four), FLOPS, at).value for at in (3, 4, 8, 40)]
    assert found == [0.1, 0.2, 0.5, 0.5]


def test_which_budgets_are_told():
    """Of steps those of the ladder that were measured; of FLOPs round ones from 1 to 10."""
    models = [[record("defended", LOW), record("defended", (0, 0.1), steps=(0, 7))]]
    assert rungs(models, (0, 1, 3, 10, 30)) == [0, 1, 3, 10]
    assert rungs(models, ()) == [0, 1, 2, 3, 5, 7, 10]
    assert round_budgets(models) == pytest.approx([1, 2, 5, 10])
    assert round_budgets([[record("defended", (0,), steps=(0,))]]) == []
