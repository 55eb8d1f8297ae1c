"""Figures in words: a gap says that it is one, and no prefix is off by a thousand."""

import pytest

from holdfast.report import wording
from holdfast.report.schema import Figure, Least, Multiplied

SPACE = "\u00a0"


@pytest.mark.parametrize(
    ("flops", "expected"),
    [(0, "0 FLOP"), (999.4, "999 FLOP"), (999.6, "1 kFLOP"), (1.5e8, "150 MFLOP"), (2.34e9, "2.34 GFLOP"),
     (1e8, "100 MFLOP"), (999.9e6, "1 GFLOP"), (6.2e24, "6.2 YFLOP"), (3e30, "3000000 YFLOP")],
)  # fmt: skip
def test_flops(flops, expected):
    assert wording.amount(flops, "flops") == expected.replace(" ", SPACE)


def test_other_units():
    assert [wording.amount(n, "steps").replace(SPACE, " ") for n in (1, 2, 1200)] == [
        "1 step",
        "2 steps",
        "1,200 steps",
    ]
    assert wording.amount(1, "examples") == f"1{SPACE}example"


def test_figures():
    assert wording.figure(Figure(value=0.98, low=0.951, high=0.994, n=144)) == "0.98 [0.95, 0.99]"
    assert wording.figure(Figure(value=0.5)) == "0.50"
    assert wording.figure(Figure(value=0.0, low=0.0, high=0.03)) == "0.00 [0.00, 0.03]"
    assert wording.figure(Figure(value=None)) == wording.figure(None) == "not measured"
    assert wording.percent(None) == "not measured"
    assert wording.percent(-0.034) == f"\N{MINUS SIGN}3.4{SPACE}%"
    assert (wording.duration(None), wording.duration(90)) == ("\N{EN DASH}", f"1.5{SPACE}min")


def multiplied(low, high, reason=None):
    return Multiplied(unit="flops", low=low, high=high, reason=reason, undefended=None, defended=None)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (multiplied(2.07, 4.31), "at least 2.0x, at most 4.4x"),
        (multiplied(0.5, None), "at least 0.50x, no upper bound found"),
        (multiplied(0.0, 1.0), "no lower bound, at most 1.0x"),
        (multiplied(None, None, "nothing broke"), "no multiplier: nothing broke"),
        (multiplied(1234.0, 2e4), "at least 1,234x, at most 20,000x"),
    ],
)
def test_bounds(found, expected):
    assert wording.bounds(found) == expected.replace("x", "\N{MULTIPLICATION SIGN}")


def test_where_a_model_breaks():
    def spent(below, at, unit="flops"):
        least = Least(below=below, below_attack="a", at=at, at_attack=None if at is None else "a")
        return wording.spent(least, unit).replace(SPACE, " ")

    assert spent(7.2e7, 1.44e8) == "broken between 72 and 144 MFLOP"
    assert spent(5e8, 2e9) == "broken between 500 MFLOP and 2 GFLOP"
    assert spent(1, 2, "steps") == "broken between 1 and 2 steps"
    assert spent(0, 2, "steps") == "broken by 2 steps"
    assert spent(64, None, "examples") == "not broken at 64 examples"
    assert wording.spent(None, "flops") == "not measured"
