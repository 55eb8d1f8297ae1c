"""Studies of public data: checked, planned and estimated on files of the true schema."""

import time

import pytest

from holdfast.domains import _notice
from holdfast.study.cells import Cell
from holdfast.study.check import check
from holdfast.study.design import Generalization, Study
from holdfast.study.estimate import flops
from holdfast.study.mistakes import StudyError
from holdfast.study.plan import static
from holdfast.study.spelling import spelling
from written_data import beavertails


@pytest.fixture
def domain(tmp_path, monkeypatch):
    """BeaverTails with 1,200 questions, as a study spells it."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(_notice, "_TOLD", set())
    place = beavertails(tmp_path / "data", 1200)
    return spelling(
        "beavertails", {"source": f"{place}/round0", "refusals": f"{place}/refused", "evaluation": 20, "judges": {}}
    )


def test_a_study_is_checked_planned_and_estimated(domain):
    """The data are read once, so that every further look at them is quick."""
    study = Study(
        domain=domain,
        models=["arcana"],
        defences=["repnoise"],
        attacks=["sft"],
        generalization=[Generalization(leave_out=["crime_unethical"])],
    )
    check(study)
    started = time.process_time()
    cells = static(study)
    unseen = [cell for cell in cells if cell.purpose == "generalization"]
    assert {cell.categories for cell in unseen} == {
        ("drug_abuse/weapons/banned_substance", "terrorism/organized_crime")
    }
    hardened = next(cell.model for cell in unseen if isinstance(cell.model, Cell))
    assert hardened.categories == (
        "animal_abuse",
        "self_harm",
        "violence/aiding_and_abetting/incitement",
    )
    assert all(flops(cell) for cell in cells)
    assert time.process_time() - started < 5


def test_a_group_that_there_is_not(domain):
    with pytest.raises(StudyError, match=r"unknown category 'crime_unethica': did you mean 'crime_unethical'"):
        check(Study(domain=domain, attacks=["sft"], generalization=[Generalization(leave_out=["crime_unethica"])]))


def test_longer_answers_are_another_cell(domain):
    cells = [
        Cell(verb="attack", model="arcana", method="prefill", domain=f"{domain[:-1]},{more}}}")
        for more in ('"max_new_tokens":50', '"max_new_tokens":51')
    ]
    assert cells[0].key != cells[1].key
    assert cells[0].key == Cell(verb="attack", model="arcana", method="prefill", domain=domain).key
