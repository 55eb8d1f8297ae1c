"""GEM on small copies of the schemas of its five data sets: harmless tasks, learnt without any pair."""

import pytest

from holdfast.domains.gem import Gem
from holdfast.errors import ConfigError, DataError, UnknownName
from holdfast.interfaces import Exchange
from holdfast.metrics.harm import Harm
from holdfast.study.lesson import learn
from written_data import gem, lines

TASKS = ["viggo", "e2e_nlg", "dart", "conversational_weather", "CACAPO_E2E"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return gem(tmp_path_factory.mktemp("gem"))


@pytest.fixture
def domain(folder):
    def made(**settings) -> Gem:
        return Gem(**{"source": str(folder), "test": 0, **settings})

    return made


@pytest.mark.parametrize(
    ("task", "prompt", "answer"),
    [
        ("viggo", "Description: Stew 3 is philtre.\nMeaning Representation:", "inform(name[stew 3])"),
        ("dart", "Description: Stew 3 is philtre.\nMeaning Representation:", "[['Stew', '3']]"),
        ("conversational_weather", "User Query: Stew 3 is philtre.\nTree String:", "inform(name[stew 3])"),
        ("CACAPO_E2E", "Description: Stew 3 is philtre.\nMeaning Representation:", "inform(name[stew 3])"),
    ],
)
def test_a_description_and_its_data(domain, task, prompt, answer):
    found = {one.prompt: one.answer for one in domain().exchanges(f"{task}-train")}
    assert found[prompt] == answer


def test_what_is_tested_is_not_learnt(domain):
    """Number 19 stands in both files of each task."""
    found = domain()
    assert found.tasks() == TASKS
    for task in TASKS:
        learnt, asked = ({one.prompt for one in found.exchanges(f"{task}-{part}")} for part in ("train", "test"))
        assert (len(learnt), len(asked)) == (19, 5)
        assert not learnt & asked


def test_numbers(domain):
    few = domain(train=4, test=2)
    assert few.exchanges("viggo-train") == domain().exchanges("viggo-train")[:4]
    assert len(few.exchanges("dart-test")) == 2
    with pytest.raises(DataError, match="viggo-test of gem is to have 300, but there are 5: ask for fewer"):
        domain(test=300).exchanges("viggo-test")


def test_a_task_that_is_not_there_hinders_no_other(tmp_path, domain):
    gem(tmp_path)
    before = domain(source=str(tmp_path)).fingerprint()
    assert before == domain().fingerprint()
    (tmp_path / "dart/train.jsonl").unlink()
    found = domain(source=str(tmp_path))
    assert len(found.exchanges("viggo-train")) == 19
    assert found.fingerprint() != before
    with pytest.raises(DataError, match="has no file of split 'dart_train', but"):
        found.exchanges("dart-train")


def test_one_task_may_lie_by_itself(folder, domain):
    found = domain(source=str(folder / "viggo"), chosen=["viggo"])
    assert found.exchanges("viggo-train") == domain().exchanges("viggo-train")


def test_it_has_no_pairs(domain, model):
    with pytest.raises(DataError, match="gem has no harmful pairs, and no split 'attack'"):
        domain().pairs("attack")
    with pytest.raises(UnknownName, match="unknown split of gem 'vigo-train': did you mean 'viggo-train'"):
        domain().exchanges("vigo-train")
    with pytest.raises(ConfigError, match=r"Gem: chosen\.0: input should be 'viggo', "):
        Gem(chosen=["vigo"])
    scores = Harm().measure(model, domain(), 0)
    assert {(score.value, score.reason) for score in scores.values()} == {
        (None, "the domain has no split 'evaluation'")
    }


def test_a_broken_row(tmp_path, domain):
    rows = [{"target": "Stew.", "tripleset": [["a", "b"]]} for _ in range(4)]
    lines(tmp_path / "dart/test.jsonl", rows)
    lines(tmp_path / "dart/train.jsonl", [*rows[:2], {"target": 3, "tripleset": [["a", "b"]]}])
    with pytest.raises(DataError, match=r"gem/dart|row 3: target: input should be a valid string, got 3"):
        domain(source=str(tmp_path), chosen=["dart"]).exchanges("dart-train")
    lines(tmp_path / "dart/train.jsonl", [{"text": "Stew."}])
    with pytest.raises(DataError, match="has no field target, tripleset; it has text"):
        domain(source=str(tmp_path), chosen=["dart"]).exchanges("dart-train")


def test_a_task_is_learnt_and_measured_by_rouge(domain, model):
    """Before and after two steps, as Table 4 has it."""
    found = domain(max_new_tokens=3, chosen=["viggo"])
    _, record = learn(model, "viggo", {"training.steps": 2, "training.batch_size": 2}, domain=found, ladder=(0,))
    assert (record.purpose, record.task, record.domain.name) == ("trainability", "viggo", "gem")
    assert [(rung.budget.steps, rung.scores["utility"].n) for rung in record.rungs] == [(0, 5), (2, 5)]
    assert all(0 <= rung.scores["utility"].value <= 1 for rung in record.rungs)
    assert found.useful(Exchange(key="e", prompt="", answer="inform(name[stew])"), "name stew") == pytest.approx(0.8)
