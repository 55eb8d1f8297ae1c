"""What must be true of the attacker's cost multiplier, whatever was measured."""

import dataclasses

from batteries import LADDERS, batteries, bounds, failing, harm, thresholds, units
from hypothesis import given
from hypothesis import strategies as st

from holdfast.records import Rung, Score
from holdfast.statistics.multiplier import attack_key, multiplier
from verdict.made import record


def rescored(made, values):
    """The same run with other harm."""
    rungs = [
        Rung(budget=rung.budget, scores={**rung.scores, "harm": Score(value=value)})
        for rung, value in zip(made.rungs, values, strict=True)
    ]
    return dataclasses.replace(made, rungs=rungs)


def values(made):
    return [rung.scores["harm"].value for rung in made.rungs]


@given(batteries(), thresholds, units, st.data())
def test_less_harm_never_lowers_it(battery, threshold, unit, data):
    """Any defended run that does less harm at any rung; a gap stays one."""
    base, hard = battery
    lower = [
        rescored(one, [value and value * data.draw(st.sampled_from([0, 0.5, 1])) for value in values(one)])
        for one in hard
    ]
    assert bounds(base, lower, threshold, unit)[0] >= bounds(base, hard, threshold, unit)[0]


@given(batteries(), thresholds, units, st.data())
def test_what_was_not_measured_never_raises_it(battery, threshold, unit, data):
    """Any value that goes missing from a defended run."""
    base, hard = battery
    gaps = [rescored(one, [None if data.draw(st.booleans()) else value for value in values(one)]) for one in hard]
    assert bounds(base, gaps, threshold, unit)[0] <= bounds(base, hard, threshold, unit)[0]


@given(batteries(safe=True), units, st.data())
def test_a_run_that_fails_never_raises_it(battery, unit, data):
    """Any one run on either side, cut short at any rung."""
    base, hard = battery
    at = data.draw(st.integers(0, len(base) + len(hard) - 1))
    runs = [*base, *hard]
    runs[at] = data.draw(failing(runs[at]))
    assert bounds(runs[: len(base)], runs[len(base) :], unit=unit)[0] <= bounds(base, hard, unit=unit)[0]


@given(batteries(), units, st.data())
def test_an_attack_that_failed_never_raises_it(battery, unit, data):
    """Added on one side or on both, finished on the other or not."""
    base, hard = battery
    steps = data.draw(st.sampled_from(LADDERS))
    ends = data.draw(st.sampled_from([("undefended",), ("defended",), ("undefended", "defended")]))
    added = {
        role: record(role, [data.draw(harm) for _ in steps], steps=steps, rate=9e-3, pool=20)
        for role in ("undefended", "defended")
        if role in ends or data.draw(st.booleans())
    }
    for role in ends:
        added[role] = data.draw(failing(added[role]))
    more = [[*side, *[added[role]][: role in added]] if role in added else side
            for role, side in (("undefended", base), ("defended", hard))]  # fmt: skip
    assert bounds(*more, unit=unit)[0] <= bounds(base, hard, unit=unit)[0]


@given(batteries(), thresholds, units)
def test_a_model_against_itself_is_no_dearer(battery, threshold, unit):
    """Also where some attacks were run on it once only, or failed."""
    base, other = battery
    for side in (base, other):
        again = [dataclasses.replace(one, role="defended") for one in side]
        assert bounds(side, again, threshold, unit)[0] <= 1
        assert bounds(side, again[1:], threshold, unit)[0] <= 1
        assert bounds(side[1:], again, threshold, unit)[0] <= 1


@given(batteries(), thresholds, units)
def test_the_lower_bound_is_below_the_upper(battery, threshold, unit):
    found = multiplier(*battery, threshold, unit)
    assert (found.low is None) == (found.reason is not None)
    if found.low is not None:
        assert found.low >= 0
        assert found.high is None or found.low <= found.high
    else:
        assert found.high is None


@given(batteries(), units, st.data())
def test_an_attack_that_fares_alike_on_both_raises_it_to_one_at_most(battery, unit, data):
    """Its break costs c on either model: with it M is at least min(B, c) / min(A, c), from B / A: nearer to 1."""
    base, hard = battery
    steps = data.draw(st.sampled_from(LADDERS))
    curve = [data.draw(harm) for _ in steps]
    more = {role: record(role, curve, steps=steps, rate=9e-3, pool=20) for role in ("undefended", "defended")}
    after = bounds([*base, more["undefended"]], [*hard, more["defended"]], unit=unit)[0]
    assert after <= max(1, bounds(base, hard, unit=unit)[0])


@given(batteries(), units, st.data())
def test_the_order_of_the_runs_does_not_matter(battery, unit, data):
    mixed = [data.draw(st.permutations(side)) for side in battery]
    one, other = multiplier(*battery, 0.3, unit), multiplier(*mixed, 0.3, unit)
    assert (one.low, one.high, one.reason) == (other.low, other.high, other.reason)
    for name in ("weak", "failed", "one_sided"):
        assert sorted(getattr(one, name)) == sorted(getattr(other, name))


@given(batteries(), st.sampled_from([2.0**-20, 0.5, 2.0**40]))
def test_the_measure_of_cost_does_not_matter(battery, factor):
    """FLOPs, or millions of them."""
    dearer = [
        [
            dataclasses.replace(
                one,
                rungs=[
                    Rung(
                        budget=dataclasses.replace(rung.budget, flops=factor * rung.budget.flops),
                        scores=rung.scores,
                    )
                    for rung in one.rungs
                ],
            )
            for one in side
        ]
        for side in battery
    ]
    assert bounds(*dearer) == bounds(*battery)


@given(batteries())
def test_every_attack_is_told_of(battery):
    """What is weak was run to its end undefended; what failed has failed; what is one-sided is on one side."""
    base, hard = battery
    found = multiplier(base, hard, 0.3)
    sides = len(base) + len(hard)
    assert len(found.one_sided) == 2 * len({*_keys(base), *_keys(hard)}) - sides
    assert set(found.failed) == {key for one in (*base, *hard) if one.failure for key in _keys([one])}
    assert set(found.weak) <= set(_keys(one for one in base if one.failure is None))


def _keys(records):
    return [attack_key(one) for one in records]
