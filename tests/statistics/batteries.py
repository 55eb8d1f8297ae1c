"""Any battery of attacks on two models: with gaps, with runs that failed, and with some run on one side only."""

import dataclasses

from hypothesis import strategies as st

from holdfast.records import Failure, Record
from holdfast.statistics.crossing import UNITS
from holdfast.statistics.multiplier import multiplier
from verdict.made import record

LADDERS = ((0, 1, 2, 3, 5, 10), (0, 1, 2, 3), (0, 5, 10, 20), (1, 2, 3, 5), (0,))
ATTACKS = [(batch, rate) for batch in (1, 4, 16) for rate in (3e-4, 1e-3)]

harm = st.sampled_from([0, 0.1, 0.29, 0.3, 0.5, 0.9, None])
held = st.sampled_from([0, 0.1, None])
units = st.sampled_from(UNITS)
thresholds = st.sampled_from([0.2, 0.3, 0.5])


@st.composite
def runs(draw, role, batch, rate, steps, *, safe=False):
    """One run, which may have failed. A safe model is never seen broken before the attack."""
    curve = [draw(held if safe and step == 0 else harm) for step in steps]
    made = record(role, curve, steps=steps, batch=batch, rate=rate, pool=20)
    return draw(failing(made)) if draw(st.integers(0, 4)) == 0 else made


@st.composite
def failing(draw, made: Record):
    """The same run, had it failed somewhere on its way."""
    rungs = made.rungs[: draw(st.integers(0, len(made.rungs)))]
    return dataclasses.replace(made, rungs=rungs, failure=Failure(reason="diverged"))


@st.composite
def batteries(draw, *, safe=False):
    """(undefended, defended): up to four attacks; a side may lack some."""
    sides: dict[str, list[Record]] = {"undefended": [], "defended": []}
    for batch, rate in draw(st.lists(st.sampled_from(ATTACKS), min_size=1, max_size=4, unique=True)):
        steps = draw(st.sampled_from(LADDERS))
        missing = draw(st.sampled_from([None, None, None, "undefended", "defended"]))
        for role, side in sides.items():
            if role != missing:
                side.append(draw(runs(role, batch, rate, steps, safe=safe and role == "undefended")))
    return sides["undefended"], sides["defended"]


def bounds(base, hard, threshold=0.3, unit="flops"):
    """M's lower and upper bound, as numbers to compare: no lower bound is less than any, no upper one more."""
    found = multiplier(base, hard, threshold, unit)
    return (
        float("-inf") if found.low is None else found.low,
        float("inf") if found.high is None else found.high,
    )
