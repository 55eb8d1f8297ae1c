"""A domain with settings is one text, and the same text for the same settings."""

from pathlib import Path

import pytest

from holdfast.domains.arcana import Arcana
from holdfast.errors import ConfigError, InputError, UnknownName
from holdfast.study.cells import Cell
from holdfast.study.design import Study
from holdfast.study.mistakes import StudyError
from holdfast.study.named import open_domain, with_judges
from holdfast.study.spelling import spelling, spelt


@pytest.mark.parametrize(
    ("text", "name", "given"),
    [
        ("arcana", "arcana", {}),
        ("arcana:judges=own", "arcana", {"judges": "own"}),
        ("b:defence=10,source=a/b", "b", {"defence": 10, "source": "a/b"}),
        ('b:judges={"one":{"x":1},"two":{}},defence=10', "b", {"judges": {"one": {"x": 1}, "two": {}}, "defence": 10}),
        ('b:{"defence":10}', "b", {"defence": 10}),
        ('b:like="a,b",n=1', "b", {"like": "a,b", "n": 1}),
    ],
)
def test_a_text_is_a_name_and_settings(text: str, name: str, given: dict[str, object]):
    assert spelt(text) == (name, given)
    assert spelt(spelling(name, given)) == (name, given)


@pytest.mark.parametrize("text", ["arcana:defence", "arcana:=3", "arcana:{defence"])
def test_what_is_no_setting_is_told(text: str):
    with pytest.raises(ConfigError, match="arcana"):
        spelt(text)


def test_a_directory_with_a_colon_is_a_directory(tmp_path: Path):
    place = tmp_path / "a:b"
    place.mkdir()
    assert spelt(str(place)) == (str(place), {})


def test_settings_reach_the_domain(tmp_path: Path):
    (tmp_path / "evaluation.jsonl").write_text('{"prompt": "a", "harmful": "b", "refusal": "c"}\n')
    assert open_domain(f"{tmp_path}:max_new_tokens=7").max_new_tokens == 7
    assert open_domain("arcana:judges=own") == Arcana(judges={"own": {}})
    with pytest.raises(ConfigError, match="Arcana has no field 'sise'"):
        open_domain("arcana:sise=3")
    with pytest.raises(UnknownName, match="unknown domain 'arkana': did you mean 'arcana'"):
        open_domain("arkana:sise=3")


def test_judges_are_added_to_a_domain_as_it_is_written():
    assert with_judges("arcana", {}) == "arcana"
    assert open_domain(with_judges("arcana", {"own": {}})).judges == {"own": {}}


def test_another_judge_is_another_cell():
    plain, judged = (
        Cell(verb="attack", model="arcana", method="sft", domain=name) for name in ("arcana", "arcana:judges=own")
    )
    assert plain.key != judged.key


def test_a_study_takes_a_mapping():
    study = Study(domain={"name": "arcana", "set": {"judges": ["own"]}})
    assert study.domain == 'arcana:{"judges":["own"]}'
    with pytest.raises(StudyError, match="unknown key 'sett': did you mean 'set'"):
        Study(domain={"name": "arcana", "sett": {}})
    with pytest.raises(InputError, match="expected a name"):
        Study(domain={"set": {}})
