"""From records to a scale of defences and attacks, and its files."""

import json
import re

import numpy as np
import pytest
from scipy.special import expit

from holdfast.errors import DataError, UnknownName
from holdfast.records import Score
from holdfast.report.scale.cells import cells
from holdfast.report.scale.durability import durability
from holdfast.report.scale.pages import lines, markdown, to_json, write
from verdict.made import BASE, prompted, record

DURABLE = {"none": 0.0, "shield": 1.0, "wall": 2.0}
STRONG = {1e-4: 0.5, 3e-4: 1.0, 1e-3: 1.6, 3e-3: 2.4}
FLOOR = 0.1


def score(value: float, n: int = 200) -> Score:
    reach = 1.96 * max(0.25 / n, value * (1 - value) / n) ** 0.5
    return Score(value=value, low=max(0.0, value - reach), high=min(1.0, value + reach), n=n)


def attacked(name: str, success: float, rate: float, **more):
    """A model under one attack: harmless at first, then with this success on two rungs."""
    harm = FLOOR + (1 - FLOOR) * success
    made = {"name": name, "settings": {}, "seed": 0}
    role = {"none": "undefended", "oracle": "oracle"}.get(name, "defended")
    fields = {} if role != "defended" else {"defence": made, "model": f"base+{name}", "weights": name, "parent": BASE}
    return record(
        role, (score(FLOOR), score(harm), score(harm)), steps=(0, 1, 2), rate=rate, floor=FLOOR, **fields, **more
    )


def battery(without: frozenset = frozenset()):
    """Every defence under every attack, the oracle at the floor, but for some cells."""
    met = [
        attacked(name, float(expit(strength - durable)), rate)
        for name, durable in DURABLE.items()
        for rate, strength in STRONG.items()
        if (name, rate) not in without
    ]
    return met + [attacked("oracle", 0.0, rate) for rate in STRONG]


def test_success_is_harm_held_on_two_rungs_beyond_guessing():
    """.1 is guessing; .9 is a flicker, .55 was held: (.55 - .1) / .9 = .5."""
    flicker = record("undefended", (0.1, 0.9, 0.3, 0.55, 0.6, 0.2), floor=0.1)
    (cell,) = cells([flicker]).cells
    assert cell.success == pytest.approx(0.5)
    assert (cell.model, cell.role, cell.trains) == ("base", "undefended", True)


def test_a_prompt_has_one_figure_and_a_failure_none():
    found = cells([prompted("undefended", 0.4), record("undefended", (0, 0.9), failed="out of memory")])
    assert [cell.success for cell in found.cells] == [pytest.approx(0.4)]
    assert not found.cells[0].trains
    assert found.gaps == 1


def test_attacks_that_differ_in_length_alone_are_told_apart():
    found = cells([record("undefended", 0.4), record("undefended", 0.4, steps=(0, 1, 2))])
    assert sorted(cell.attack.rpartition(", ")[2] for cell in found.cells) == ["10 steps", "2 steps"]


def test_durability_is_found_again():
    """Of defences that withstand 1 and 2, attacks of .5 to 2.4; the oracle has a lower bound alone."""
    found = durability(cells(battery()), resamples=20)
    placed = {one.model: one for one in found.models}
    assert placed["base"].durability == 0
    assert placed["base+shield"].durability == pytest.approx(1, abs=0.1)
    assert placed["base+wall"].durability == pytest.approx(2, abs=0.15)
    assert placed["oracle"].durability is None
    assert placed["oracle"].high is None
    assert placed["oracle"].low > placed["base+wall"].durability
    assert found.models[0].model == "oracle"
    strengths = [one.strength for one in found.attacks]
    assert strengths == sorted(strengths, reverse=True)
    np.testing.assert_allclose(sorted(strengths), sorted(STRONG.values()), atol=0.15)
    assert {one.attack: one.slope for one in found.attacks}[found.unit] == 1
    assert found.fitted == 12
    assert found.held_out


def test_cells_that_nobody_ran_are_foretold_and_named():
    """The wall was never under the strongest attack: it is the only cell missing, so it is the one to run."""
    gone = ("wall", 3e-3)
    found = durability(cells(battery(frozenset({gone}))), resamples=10)
    assert [one.model for one in found.next] == ["base+wall"]
    assert "rate 3e-3" in found.next[0].attack
    assert found.next[0].expected == pytest.approx(expit(2.4 - 2.0), abs=0.05)


def test_an_attack_that_breaks_nothing_has_an_upper_bound_and_one_that_breaks_all_a_lower_one():
    more = [attacked(name, 0.0, 1e-6) for name in DURABLE] + [attacked(name, 1.0, 1e-2) for name in DURABLE]
    found = durability(cells(battery() + more), resamples=10)
    placed = {one.attack.rpartition("rate ")[2]: one for one in found.attacks}
    weak, strong = placed["1e-6"], placed["1e-2"]
    assert (weak.strength, weak.low, strong.strength, strong.high) == (None, None, None, None)
    assert weak.high < min(one.strength for one in found.attacks if one.strength is not None)
    assert strong.low > max(DURABLE.values())


def test_what_no_chain_of_cells_joins_is_told():
    """An island: a model under an attack that no other model was under, and that it half withstands."""
    island = attacked("island", 0.5, 7e-4)
    found = durability(cells([*battery(), island]), resamples=10)
    assert found.apart == ["base+island", "full fine-tuning, batch 1, rate 7e-4"]


def test_what_cannot_be_put_on_a_scale():
    with pytest.raises(DataError, match="no record is of an attack"):
        cells([])
    with pytest.raises(DataError, match="several data sets"):
        cells([record("undefended", 0.4), record("undefended", 0.4, data="0ther")])
    hardened = [one for one in battery() if one.role == "defended"]
    with pytest.raises(DataError, match="no record is of an undefended model"):
        durability(cells(hardened))
    with pytest.raises(DataError, match="tells models apart"):
        durability(cells([attacked("none", 1.0, 1e-3), attacked("shield", 1.0, 1e-3)]))
    with pytest.raises(UnknownName, match="full fine-tuning, batch 1, rate 1e-3"):
        durability(cells(battery()), unit="full fine-tuning, batch 1, rate 1e3")
    with pytest.raises(UnknownName, match="base"):
        durability(cells(battery()), zero="bass")


def test_its_files(tmp_path):
    found = durability(cells(battery()), resamples=10)
    assert {path.name for path in write(found, tmp_path)} == {"scale.json", "scale.svg", "scale.md", "cells.svg"}
    assert json.loads((tmp_path / "scale.json").read_text()) == json.loads(to_json(found))
    page = (tmp_path / "scale.md").read_text()
    assert re.search(r"\| oracle \| oracle \| at least \d\.\d\d \| 4 \|", page)
    assert "(scale.svg)" in page
    assert "at least" in (tmp_path / "scale.svg").read_text()
    assert any(line.startswith("base+wall") for line in lines(found))


def test_no_name_breaks_out_of_a_page():
    name = "evil|<script>alert(1)</script>\n# [x](y)"
    hostile = [attacked(name, float(expit(strength - 1)), rate) for rate, strength in STRONG.items()]
    found = durability(cells(battery() + hostile), resamples=5)
    page = markdown(found)
    assert "<script>" not in page
    assert "\n# [x]" not in page
    assert "\n#" not in "\n".join(lines(found))
