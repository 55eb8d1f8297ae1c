"""How much of the harm a defence has removed, corrected for guessing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.statistics.removal import removal


@pytest.mark.parametrize(
    ("defended", "undefended", "floor", "removed"),
    [
        (0.3, 0.9, 0.1, 0.75),  # 1 - .2 / .8
        (0.1, 0.9, 0.1, 1),  # no more than guessing
        (0.9, 0.9, 0.1, 0),  # as much as without the defence
        (0.5, 0.3, 0.1, -1),  # 1 - .4 / .2: the defence made it worse
        (0.0, 0.9, 0.1, 1.125),  # 1 + .1 / .8: refusals do less harm than guesses
        (0.0, 0.8, 0.0, 1),
    ],
)
def test_removal_on_paper(defended, undefended, floor, removed):
    assert removal(defended, undefended, floor) == pytest.approx(removed)


@pytest.mark.parametrize("undefended", [0.0, 0.05, 0.1])
def test_an_attack_that_brings_nothing_back_leaves_nothing_to_remove(undefended):
    assert removal(0.0, undefended, 0.1) is None


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.2, 1), st.floats(0, 0.1))
def test_more_harm_is_less_removed(one, other, undefended, floor):
    low, high = sorted((one, other))
    assert removal(high, undefended, floor) <= removal(low, undefended, floor)
