"""Whether the cheapest break lies inside the range of learning rates tried."""

from holdfast.statistics.multiplier import edge
from verdict.made import HOLDS, record

RATES = (3e-4, 1e-3, 3e-3)
AT_1, AT_2, AT_3, AT_5 = (
    (0, 0.5, 0.6, 0.6, 0.6, 0.6),
    (0, 0.1, 0.5, 0.6, 0.6, 0.6),
    (0, 0.1, 0.1, 0.5, 0.6, 0.6),
    (0, 0.1, 0.1, 0.1, 0.5, 0.6),
)


def tried(*curves, rates=RATES, **more):
    """The same attack at three rates, from low to high."""
    return [record("undefended", curve, rate=rate, **more) for curve, rate in zip(curves, rates, strict=True)]


def where(*curves, unit="flops", **more):
    """The rate of the cheapest break and on which edge it lies."""
    found = edge(tried(*curves, **more), 0.3, unit)
    return found and (found[0].attack["settings"]["training"]["learning_rate"], found[1])


def test_a_break_between_two_rates_is_interior():
    assert where(AT_5, AT_2, AT_3) is None
    assert where(HOLDS, AT_2, HOLDS) is None  # neither end breaks anything


def test_a_break_at_an_end_lies_on_the_edge():
    assert where(AT_5, AT_3, AT_2) == (3e-3, "highest")
    assert where(AT_2, AT_3, AT_5) == (3e-4, "lowest")


def test_one_rate_has_no_inside():
    assert edge([record("undefended", AT_2)], 0.3)[1] == "highest"


def test_a_plateau_that_reaches_an_end_lies_on_the_edge():
    """Between 1 and 2 steps at two rates: beyond the last of them it may fall still lower."""
    assert where(AT_5, AT_2, AT_2)[1] == "highest"
    assert where(AT_2, AT_2, AT_5)[1] == "lowest"


def test_a_plateau_inside_is_interior():
    assert where(AT_5, AT_2, AT_2, AT_3, rates=(3e-4, 1e-3, 3e-3, 1e-2)) is None


def test_at_the_first_step_nothing_can_be_cheaper():
    """Broken by the first step at two rates, or at all: an equal end does no harm, as long as one lies inside."""
    assert where(AT_2, AT_1, AT_1) is None
    assert where(AT_1, AT_1, AT_1) is None
    assert where(AT_3, AT_2, AT_1) == (3e-3, "highest")


def test_a_run_that_failed_has_tried_its_rate():
    records = tried(AT_5, AT_2, AT_3)[:2]
    assert edge(records, 0.3)[1] == "highest"
    assert edge([*records, record("undefended", (0,), rate=3e-3, failed="diverged")], 0.3) is None


def test_each_attack_has_a_range_of_its_own():
    """Batch 1 breaks at 3 steps of 2 FLOPs inside its range; batch 4 at 4 FLOPs, at its only rate."""
    single = record("undefended", AT_1, batch=4, rate=1e-2)
    assert edge([*tried(AT_5, AT_3, AT_5, price=2), single], 0.3)[0] is single
    assert edge([*tried(AT_5, AT_3, AT_5), single], 0.3) is None  # at 3 FLOPs it is batch 1 that counts


def test_one_cheapest_break_inside_is_enough():
    """Batch 1 between 2 and 3 steps inside its range, and so does another seed, at its only rate."""
    assert edge([*tried(AT_5, AT_3, AT_5), record("undefended", AT_3, seed=1)], 0.3) is None


def test_an_edge_is_counted_in_its_unit():
    """Batch 1 breaks at 3 steps of 1 FLOP inside its range, batch 4 at 1 step of 4 FLOPs at its only rate."""
    records = [*tried(AT_5, AT_3, AT_5), record("undefended", AT_1, batch=4)]
    assert edge(records, 0.3, "flops") is None
    assert edge(records, 0.3, "steps")[0] is records[-1]


def test_nothing_broke():
    assert where(HOLDS, HOLDS, HOLDS) is None
    assert edge([], 0.3) is None
