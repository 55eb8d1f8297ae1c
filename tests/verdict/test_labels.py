"""What things are called in a report."""

import subprocess
import sys
from typing import Any

import pytest

from holdfast import plugins
from holdfast.config import build, to_dict, to_flat
from holdfast.training.recipe import Recipe
from verdict.made import HOLDS, record
from verdict.rooms import labels


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("/models/big", "big"),
        ("owner/name", "name"),
        ("random:arcana", "random:arcana"),
        ("random:/models/big", "random:big"),
        ("random:owner/name", "random:name"),
    ],
)
def test_a_model_is_called_by_the_last_part_of_its_path(name, label):
    """Random initialisation keeps its prefix: without it, it would be called as the model itself."""
    assert labels.model_label(name) == label


def told(name: str, **settings: Any) -> str:
    """The label of a plug-in with some settings, by their dotted names with two underscores for a dot."""
    given = {key.replace("__", "."): value for key, value in settings.items()}
    made = to_dict(build(plugins.find("attacks", name), given))
    return labels.attack_label(record("undefended", HOLDS, attack={"name": name, "settings": made}))


REINFORCED = "grpo, full fine-tuning, batch 64, rate 3e-4"


@pytest.mark.parametrize(
    ("settings", "label"),
    [
        ({}, "reward exact"),
        ({"reward__compliance": 0.0}, "reward exact, reward compliance 0.0"),
        ({"reward__kind": "model"}, "reward model"),
        ({"reward__kind": "model", "reward__flip_ratio": 0.0}, "reward model, reward flip_ratio 0.0"),
        ({"reward__kind": "model", "reward__flip_ratio": 0.5}, "reward model, reward flip_ratio 0.5"),
        ({"reward__kind": "model", "reward__training__steps": 60}, "reward model, reward training steps 60"),
        ({"reward__kind": "model", "reward__training__warmup": 5.0}, "reward model, reward training warmup 5.0"),
        ({"sampling__temperature": 1.0}, "reward exact, sampling temperature 1.0"),
    ],
)
def test_settings_within_settings_are_told_where_they_are_not_as_usual(settings, label):
    assert told("grpo", **settings) == f"{REINFORCED}, {label}"


def test_what_was_not_chosen_is_not_told():
    assert told("layer_injection", after=()) == "layer_injection, batch 16, rate 3e-4"
    assert told("abliteration") == "abliteration"
    assert told("abliteration", rank=3) == "abliteration, rank 3"
    assert "after [0]" in told("layer_injection", after=(0,))
    assert "benign" not in told("adaptive")
    assert "benign 0.0" in told("adaptive", benign=0.0)
    assert told("sft", poison_ratio=0.0) == "full fine-tuning, batch 16, rate 3e-4, poison_ratio 0.0"


def test_what_goes_without_saying_is_the_default():
    """The tables are kept apart from the plug-ins, which a report does not import."""
    recipe = to_flat(Recipe())
    assert {key: recipe[key] for key in labels._USUAL} == labels._USUAL
    for name, usual in labels._PLAIN.items():
        known = to_flat(plugins.find("attacks", name)())
        assert {key: known[key] for key in usual} == usual


def test_labels_are_light():
    code = "import sys, holdfast.report.verdict.labels; print(sorted({'torch', 'transformers'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
