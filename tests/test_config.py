"""Hyper-parameters: what fits comes back from JSON with the same hash; what does not is named by its field."""

import json
import math
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from holdfast.config import build, canonical, config, content_hash, fields, from_dict, replace, to_dict, to_flat
from holdfast.errors import ConfigError


@config
class Oven:
    """Nested in the one below."""

    steps: Annotated[int, Field(ge=0)] = 100
    """How long."""
    heat: Annotated[float, Field(gt=0)] = 3e-4
    """How hot."""
    schedule: Literal["constant", "linear"] = "constant"
    """How the heat goes."""

    def __post_init__(self) -> None:
        if self.steps == 13:
            raise ValueError("steps 13 is unlucky")


@config
class Bread:
    """Something with fields."""

    weight: Annotated[float, Field(ge=0)] = 1.0
    """How heavy."""
    layers: tuple[int, ...] | None = None
    """Which of them."""
    shelf: Path = Path()
    """Where."""
    training: Oven = Oven(steps=200)
    """How it is baked."""


ovens = st.builds(
    Oven,
    steps=st.integers(0, 10**9).filter(lambda steps: steps != 13),
    heat=st.floats(min_value=0, exclude_min=True, allow_infinity=False),
    schedule=st.sampled_from(["constant", "linear"]),
)
breads = st.builds(
    Bread,
    weight=st.floats(min_value=0, allow_infinity=False),
    layers=st.none() | st.lists(st.integers()).map(tuple),
    shelf=st.sampled_from([Path("a"), Path("b/c")]),
    training=ovens,
)


@given(breads)
def test_json_there_and_back(bread):
    """The same instance, and the same hash before and after: what a study is resumed by."""
    again = from_dict(Bread, json.loads(json.dumps(to_dict(bread))))
    assert again == bread
    assert content_hash(to_dict(again)) == content_hash(to_dict(bread))
    assert build(Bread, to_flat(bread)) == bread


@given(breads, breads)
def test_what_differs_has_another_hash(one, two):
    assert (content_hash(to_dict(one)) == content_hash(to_dict(two))) == (one == two)


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False)))
def test_the_hash_does_not_heed_the_order_of_keys(values):
    assert content_hash(dict(reversed(values.items()))) == content_hash(values)
    assert json.loads(canonical(values)) == values


def test_a_hash_on_paper():
    """canonical({"b": 1, "a": [0.5, None]}) has sorted keys and no blanks; the hash is that text's SHA-256."""
    assert canonical({"b": 1, "a": [0.5, None]}) == '{"a":[0.5,null],"b":1}'
    assert content_hash("") == "12ae32cb1ec02d01eda3581b127c1fee3b0dc53572ed6baf239721a03d82e126"  # SHA-256 of '""'


def test_nan_has_no_hash():
    with pytest.raises(ValueError, match="not JSON compliant"):
        content_hash(math.nan)


def test_a_field_of_what_has_none():
    @config
    class Bare:
        """Nothing to set."""

    with pytest.raises(ConfigError, match=r"Bare has no field 'foo': it has none\.$"):
        build(Bare, {"foo": 1})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"steps": 50}, "Bread has no field 'steps': did you mean 'training.steps'?"),
        ({"wieght": 1}, "Bread has no field 'wieght': did you mean 'weight'?"),
        ({"training.stepz": 1}, "Bread has no field 'training.stepz': did you mean 'training.steps'"),
        ({"qqqqq": 1}, "there are: weight, layers, shelf, training.steps, training.heat, training.schedule."),
        ({"weight": "heavy"}, "Bread: weight: input should be a valid number"),
        ({"weight": -1}, "Bread: weight: input should be greater than or equal to 0, got -1."),
        ({"weight": math.nan}, "Bread: weight: input should be a finite number, got nan."),
        ({"weight": math.inf}, "Bread: weight: input should be a finite number, got inf."),
        ({"layers": [0, "x"]}, "Bread: layers.1: input should be a valid integer"),
        ({"training.steps": -3}, "Bread: training.steps: input should be greater than or equal to 0, got -3."),
        ({"training.steps": 2.5}, "Bread: training.steps: input should be a valid integer"),
        ({"training.heat": 0}, "Bread: training.heat: input should be greater than 0, got 0."),
        ({"training.schedule": "sine"}, "Bread: training.schedule: input should be 'constant' or 'linear'"),
        ({"training.steps": 13}, "Bread: training: steps 13 is unlucky."),
    ],
)
def test_what_does_not_fit_is_named(settings, said):
    with pytest.raises(ConfigError) as error:
        build(Bread, settings)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_texts_that_are_numbers_are_numbers():
    """As the command line gives them, where they are no JSON."""
    bread = build(Bread, {"weight": "1e-3", "training.steps": "50", "training.heat": 1})
    assert (bread.weight, bread.training.steps, bread.training.heat) == (0.001, 50, 1.0)


def test_only_what_is_set_changes():
    """A default of the outer class (200 steps) stays when another nested field is set, and so does the default."""
    assert build(Bread, {"training.heat": 0.5}).training == Oven(steps=200, heat=0.5)
    assert Bread().training == Oven(steps=200)
    assert replace(Bread(layers=(1,)), {"training": {"steps": 7}}) == Bread(layers=(1,), training=Oven(steps=7))


def test_wrong_in_python_too():
    with pytest.raises(ConfigError, match=r"Oven: steps: .* got -1"):
        Oven(steps=-1)
    with pytest.raises(ConfigError, match="did you mean 'steps'"):
        Oven(step=1)
    with pytest.raises(ConfigError, match="'shelve'"):
        from_dict(Bread, {"shelve": "x"})


def test_fields_are_documented_by_the_string_below_them():
    assert {name: info.description for name, info in fields(Bread).items()} == {
        "weight": "How heavy.",
        "layers": "Which of them.",
        "shelf": "Where.",
        "training.steps": "How long.",
        "training.heat": "How hot.",
        "training.schedule": "How the heat goes.",
    }
