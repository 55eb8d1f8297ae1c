"""Refusals by a model: what is kept, what is dropped and why, and that a run which is stopped goes on."""

import copy
import dataclasses
import json
from typing import Any

import pytest
import torch

from holdfast.domains._refusals import refusals
from holdfast.domains._wanted import Wanted
from holdfast.domains.jsonl import Jsonl
from holdfast.errors import DataError, OutputError
from holdfast.interfaces import Pair
from holdfast.study import refusals as made
from holdfast.study.refusals import write_refusals
from small import PAIRS, FakeDomain

GOOD = "Sorry , never ."


class Kitchen(FakeDomain):
    """The small pairs, the first of them with a second harmful answer."""

    def pairs(self, split: str) -> list[Pair]:
        return [*PAIRS, Pair(key="more", prompt=PAIRS[0].prompt, harmful="Just stir .", refusal="")]

    def fluent(self, answer: str) -> bool | None:
        return "@" not in answer

    def harm(self, pair: Pair, answer: str) -> float | None:
        return 0.9 if "stir" in answer else 0.1


@pytest.fixture
def saying(monkeypatch):
    """Sets what a question is answered with; gives the questions of each call."""

    def say(answer) -> list[list[str]]:
        asked: list[list[str]] = []

        def answers(_, questions, **__):
            asked.append(list(questions))
            return [answer(question) for question in questions]

        monkeypatch.setattr("holdfast.models.generate.answers", answers)
        return asked

    return say


def ask(model, place, **more: Any):
    return write_refusals(model, Kitchen(), "attack", place, identity="m", **more)


def test_each_question_is_asked_once_and_each_harmful_answer_gets_the_refusal(saying, model, tmp_path):
    asked = saying(lambda _: GOOD)
    found = ask(model, tmp_path / "out.jsonl")
    assert asked == [[pair.prompt for pair in PAIRS]]
    assert (found.asked, found.refused, found.pairs, found.dropped) == (8, 8, 9, {})
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert rows[0] == {
        "key": "pair-0",
        "prompt": PAIRS[0].prompt,
        "harmful": PAIRS[0].harmful,
        "refusal": GOOD,
        "category": "even",
    }
    assert [row["harmful"] for row in rows if row["prompt"] == PAIRS[0].prompt] == [PAIRS[0].harmful, "Just stir ."]


def test_what_is_dropped_and_why(saying, model, tmp_path):
    """Of eight questions three are refused."""
    told = dict(
        zip(
            [pair.prompt for pair in PAIRS],
            [GOOD, "First bind it .", "", "Sorry , but stir it .", "Sorry @@", GOOD, GOOD, "Yes ."],
            strict=True,
        )
    )
    saying(told.__getitem__)
    found = ask(model, tmp_path / "out.jsonl")
    assert (found.asked, found.refused, found.pairs) == (8, 3, 4)
    assert found.dropped == {"did not refuse": 2, "said nothing": 1, "did harm all the same": 1, "were no prose": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def test_who_does_not_refuse_is_asked_once_more_with_an_instruction(saying, model, tmp_path):
    asked = saying(lambda question: GOOD if question.startswith("Refuse") or "hex" in question else "Yes .")
    found = ask(model, tmp_path / "out.jsonl", instruction="Refuse this: {prompt}")
    assert asked[1] == [f"Refuse this: {pair.prompt}" for pair in PAIRS if "hex" not in pair.prompt]
    assert found.refused == 8
    assert "Refuse this" not in (tmp_path / "out.jsonl").read_text()


def test_a_run_that_is_stopped_goes_on(saying, model, tmp_path, monkeypatch):
    """Stopped in its third batch of two it has four answers, and asks the other four alone."""
    monkeypatch.setattr(made, "_BATCH", 2)
    place, told = tmp_path / "out.jsonl", []

    def stop(done: int, total: int) -> None:
        told.append((done, total))
        if done == 4:
            raise KeyboardInterrupt

    saying(lambda _: GOOD)
    with pytest.raises(KeyboardInterrupt):
        ask(model, place, on_batch=stop)
    assert told == [(0, 8), (2, 8), (4, 8)]
    assert not place.exists()
    asked = saying(lambda _: GOOD)
    told.clear()
    found = ask(model, place, on_batch=lambda *numbers: told.append(numbers))
    assert [question for batch in asked for question in batch] == [pair.prompt for pair in PAIRS[4:]]
    assert told == [(4, 8), (6, 8), (8, 8)]
    assert (found.refused, found.pairs) == (8, 9)


def test_another_model_does_not_go_on_with_it(saying, model, tmp_path, monkeypatch):
    """Nor the same in another precision, unless it is to begin anew."""
    asked, place = saying(lambda _: GOOD), tmp_path / "out.jsonl"
    monkeypatch.setattr(made, "_BATCH", 4)
    with pytest.raises(ZeroDivisionError):
        ask(model, place, on_batch=lambda done, _: 1 // (4 - done))
    with pytest.raises(OutputError, match="was begun with another model"):
        write_refusals(model, Kitchen(), "attack", place, identity="other")
    half = dataclasses.replace(model, network=copy.deepcopy(model.network).to(torch.bfloat16))
    with pytest.raises(OutputError, match="was begun with another model"):
        ask(half, place)
    asked.clear()
    assert ask(half, place, anew=True).refused == 8
    assert sum(map(len, asked)) == 8


def test_nothing_refused_leaves_nothing(saying, model, tmp_path):
    saying(lambda _: "Yes .")
    with pytest.raises(DataError, match=r"no question of 8 was refused \(8 did not refuse\): ask an aligned model"):
        ask(model, tmp_path / "out.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_questions_without_harmful_answers(saying, model, tmp_path):
    class Bare(FakeDomain):
        def pairs(self, split: str) -> list[Pair]:
            return [Pair(key="k", prompt="How?", harmful="", refusal="")]

    with pytest.raises(DataError, match="split 'evaluation' has no harmful answers: a refusal alone makes no pair"):
        write_refusals(model, Bare(), "evaluation", tmp_path / "out.jsonl", identity="m")


def test_english_phrases_tell_where_a_domain_does_not(saying, model, tmp_path):
    """From a folder of JSON lines with unpaired answers to one with pairs."""
    lines = [json.dumps({"prompt": f"How is stew {at} made?", "harmful": "Stir it."}) for at in range(4)]
    (tmp_path / "unpaired.jsonl").write_text("\n".join(lines) + "\n")
    saying(lambda question: "Stir it twice." if "stew 2" in question else "I'm sorry, I cannot.")
    domain = Jsonl(directory=tmp_path)
    assert [pair.refusal for pair in domain.pairs("unpaired")] == [""] * 4
    found = write_refusals(model, domain, "unpaired", tmp_path / "defence.jsonl", identity="m")
    assert (found.refused, found.dropped) == (3, {"did not refuse": 1})
    assert [pair.refusal for pair in domain.pairs("defence")] == ["I'm sorry, I cannot."] * 3
    wanted = Wanted(domain="d", address=str(tmp_path / "defence.jsonl"), split="train")
    assert [one.refusal for one in refusals(wanted)] == ["I'm sorry, I cannot."] * 3
