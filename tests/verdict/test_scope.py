"""What a report says that nobody measured."""

from typing import Any

import pytest

from holdfast.records import Record
from holdfast.report.verdict.scope import not_measured
from verdict.made import HOLDS, record

MIX = "Attacks that mix harmful with harmless data."


def attacked(name: str, **settings: Any) -> Record:
    return record("defended", HOLDS, attack={"name": name, "settings": settings})


def test_one_of_a_family_does_not_speak_for_the_others():
    """With quantisation, preferences and a persona, all else is told."""
    told = not_measured([attacked("quantise", bits=4), attacked("dpo"), attacked("sft", poison_ratio=0.0)])
    trained, changed, prompts = told[:3]
    assert trained == (
        "Attacks that train by other means: reinforcement from unsafe feedback, soft prompts, new layers, offsets to "
        "activations, harmless neighbouring data (elicitation), another language, a step aside first (adaptive)."
    )
    assert changed == (
        "Changes of the weights without training: removal of the refusal direction, pruning, merging with a relative, "
        "noise."
    )
    assert prompts == "Prompts: prefilled answers, completion outside the chat, prompts found by search."


def test_a_group_of_which_all_was_measured_is_not_told():
    names = ("abliteration", "quantise", "prune", "delta", "noise")
    assert not any(line.startswith("Changes") for line in not_measured([attacked(name) for name in names]))


@pytest.mark.parametrize(
    ("name", "settings", "there"),
    [
        ("sft", {"poison_ratio": 1.0}, True),
        ("sft", {"poison_ratio": 0.0}, True),
        ("sft", {"poison_ratio": 0.1}, False),
        ("adaptive", {"benign": 0.3}, False),
        ("adaptive", {"benign": 0.0}, True),
    ],
)
def test_a_mix_has_some_of_both(name, settings, there):
    assert (MIX in not_measured([attacked(name, **settings)])) is there
