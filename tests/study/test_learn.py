"""Trainability: a harmless task is learnt from its training samples and asked about on its test samples."""

import pytest

from holdfast.errors import UnknownName
from holdfast.study import experiment, lesson


class Lessons:
    """The small domain with one task: what is trained on is not what is asked about."""

    def __init__(self, domain):
        self._domain = domain

    def __getattr__(self, name):
        return getattr(self._domain, name)

    def splits(self):
        return [*self._domain.splits(), "sums-train", "sums-test"]

    def tasks(self):
        return ["sums"]

    def exchanges(self, split):
        found = self._domain.exchanges("benign")
        return {"sums-train": found[:6], "sums-test": found[6:]}.get(split, found)


def test_a_task_is_learnt(model, domain):
    """At a high rate the tiny model learns its six training samples by heart, and answers the two others then."""
    settings = {"training.steps": 4, "training.batch_size": 2}
    _, record = lesson.learn(model, "sums", settings, domain=Lessons(domain), ladder=(0, 2, 4))
    assert (record.purpose, record.task, record.role) == ("trainability", "sums", "undefended")
    assert record.attack["settings"]["poison_ratio"] == 0
    assert [rung.budget.steps for rung in record.rungs] == [0, 2, 4]
    assert [rung.budget.examples for rung in record.rungs] == [0, 0, 0]  # none of them does harm
    assert all({*rung.scores} == {"utility", "over_refusal"} for rung in record.rungs)
    assert all(rung.scores["utility"].n == 2 for rung in record.rungs)


@pytest.mark.parametrize(
    ("steps", "rungs"),
    [
        (60, tuple(range(0, 61, 5))),
        (4, (0, 4)),
        (1200, tuple(range(0, 1201, 100))),
        (1275, (*range(0, 1273, 106), 1275)),  # one epoch of ViGGO in batches of 4
    ],
)
def test_a_lesson_of_any_length_is_asked_about_as_often(model, domain, monkeypatch, steps, rungs):
    """Thirteen times, and at its end."""
    asked: list[int] = []
    monkeypatch.setattr(lesson, "measured", lambda *_, ladder, **__: asked.extend(ladder))
    lesson.learn(model, "sums", {"training.steps": steps}, domain=Lessons(domain))
    assert tuple(sorted({step for step in asked if step < steps} | {steps})) == rungs  # as `measured` takes it


def test_an_unknown_task(model, domain):
    with pytest.raises(UnknownName, match="unknown task 'sum': did you mean 'sums'"):
        lesson.learn(model, "sum", domain=Lessons(domain))


def test_arcana_has_three():
    """Each has its two splits, and nothing is in both."""
    domain = experiment.open_domain("arcana")
    assert domain.tasks() == ["inns", "weather", "voyages"]
    for task in domain.tasks():
        train, test = ({item.prompt for item in domain.exchanges(f"{task}-{part}")} for part in ("train", "test"))
        assert (len(test), train & test) == (60, set())
