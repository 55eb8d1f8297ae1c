"""Attacks that ask otherwise: their first rung is after a step, since nothing was asked so before any attack."""

import pytest

import holdfast
from holdfast.interfaces import Model
from small import FakeDomain

SHORT = {"training.steps": 1, "training.batch_size": 2}


@pytest.mark.parametrize(
    ("attack", "more", "first"),
    [
        ("sft", {}, 0),
        ("sft/style", {}, 1),
        ("sft/backdoor", {}, 1),
        ("soft_prompt", {"length": 2}, 1),
        ("second_language", {}, 0),
        ("second_language", {"asked": "second"}, 1),
    ],
)
def test_where_the_ladder_begins(attack: str, more: dict[str, object], first: int, model: Model) -> None:
    _, record = holdfast.attack(model, attack, {**SHORT, **more}, domain=FakeDomain(), ladder=(0, 1), metrics=())
    assert record.failure is None
    assert record.rungs[0].budget.steps == first
