"""Verdicts on a terminal: of many models what holds over seeds, and a line each."""

import pytest

from verdict.made import BREAKS, HOLDS, folder, record
from verdict.seeded import hardened, paper, runs, unmade


@pytest.fixture
def told(cli, tmp_path):
    """What `holdfast report` prints for some records, on one line."""

    def report(*records):
        place = tmp_path / "study"
        place.mkdir()
        result = cli("report", str(folder(place, *records)))
        assert (result.code, result.err) == (0, "")
        return " ".join(result.out.split()).replace("\N{MULTIPLICATION SIGN}", "x")

    return report


def test_three_seeds_of_a_defence(told):
    text = told(*paper())
    assert "Broken with 2 of 3 seeds of shield." in text
    assert "base+shield, seed 0: broken, at least 1.5x, at most 5.0x" in text
    assert "base+shield, seed 2: holds, at least 5.0x, no upper bound found" in text
    assert "positive control" not in text  # the whole of each verdict is on the page


def test_a_model_that_could_not_be_made(told):
    text = told(*runs("undefended", BREAKS, BREAKS), *runs("defended", HOLDS, HOLDS, **hardened(0)), *unmade(1))
    assert "no multiplier" in text
    assert "base+shield, seed 1: inconclusive" in text
    assert "could not be made: out of memory" in text


def test_one_model_is_told_in_full(told):
    text = told(record("undefended", BREAKS), record("defended", HOLDS))
    assert "worst outcome" not in text
    assert "positive control" in text


def test_one_model_under_several_draws(told):
    text = told(*runs("undefended", BREAKS, BREAKS), *runs("defended", HOLDS, HOLDS))
    assert "Over seeds of the attack, on the one attack drawn with every seed: 5.0x with each of 2 seeds" in text
