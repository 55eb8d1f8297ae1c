"""New attacks and models on a scale that is there."""

import json
from dataclasses import asdict

import pytest
from scipy.special import expit

from holdfast.errors import DataError
from holdfast.report import plain
from holdfast.report.scale.cells import Cell, Cells
from holdfast.report.scale.found import Durability, Durable, Strong
from holdfast.report.scale.onto import onto
from holdfast.report.scale.pages import placed
from holdfast.statistics.scale.fit import Penalty

SCALE = Durability(
    domain="fable", zero="base", unit="sft", penalty=Penalty(), apart=[], cells=[], fitted=6, gaps=0, resamples=2,
    error=0.02, held_out=None, next=[],
    models=[
        Durable(model=name, role=role, durability=value, cells=3)
        for name, role, value in (("base", "undefended", 0.0), ("shield", "defended", 1.0), ("wall", "defended", 2.0))
    ] + [Durable(model="oracle", role="oracle", low=5.0, cells=3)],
    attacks=[
        Strong(attack="sft", strength=1.0, slope=1.0, cells=3), Strong(attack="lora", strength=2.0, slope=2.0, cells=3),
    ],
)  # fmt: skip


def cell(model, attack, success, role="defended"):
    return Cell(model=model, role=role, attack=attack, trains=True, success=success, noise=0.01, flops=1.0)


def given(*found, domain="fable"):
    return Cells(domain=domain, cells=list(found), gaps=0)


def test_a_new_attack_is_placed_by_the_models_it_met():
    """Strength 1.5 with slope 1.4, the geometric mean of the scale's: what each model gives is sigmoid of that."""
    found = onto(
        SCALE, given(*(cell(m, "new", float(expit(2**0.5 * (1.5 - d)))) for m, d in (("base", 0), ("wall", 2))))
    )
    (new,) = found.attacks
    assert new.strength == pytest.approx(1.5, abs=0.02)
    assert new.slope == pytest.approx(2**0.5, rel=0.05)
    assert new.low < 1.5 < new.high
    assert found.models == found.apart == []


def test_a_new_model_is_placed_by_the_attacks_it_withstood():
    """Durability 1.2 against attacks of strength 1 (slope 1) and 2 (slope 2)."""
    met = (cell("new", "sft", float(expit(1 - 1.2))), cell("new", "lora", float(expit(2 * (2 - 1.2)))))
    (new,) = onto(SCALE, given(*met)).models
    assert new.durability == pytest.approx(1.2, abs=0.01)
    assert new.low < 1.2 < new.high


def test_ends_are_bounds():
    found = onto(SCALE, given(cell("base", "weak", 0.0), cell("wall", "strong", 1.0), cell("new", "sft", 0.0)))
    weak, strong = found.attacks
    assert (weak.strength, weak.low, strong.strength, strong.high) == (None, None, None, None)
    assert weak.high < 0 < 2 < strong.low
    assert found.models[0].durability is None
    assert found.models[0].low > 1


def test_what_met_nothing_on_the_scale_is_named():
    found = onto(SCALE, given(cell("other", "unheard", 0.5), cell("oracle", "third", 0.0)))
    assert found.apart == ["unheard", "third", "other"]
    assert "Met nothing that has a place on it: unheard" in placed(found)


def test_what_cannot_be_placed_is_told():
    with pytest.raises(DataError, match="they share no scale"):
        onto(SCALE, given(cell("base", "new", 0.5), domain="other"))
    with pytest.raises(DataError, match="fit it anew"):
        onto(SCALE, given(cell("base", "sft", 0.5)))


def test_a_scale_is_read_back(tmp_path):
    (tmp_path / "scale.json").write_text(json.dumps(asdict(SCALE)))
    assert plain.read(Durability, tmp_path / "scale.json") == SCALE
