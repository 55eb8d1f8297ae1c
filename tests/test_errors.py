"""Every error on purpose: what it says, what it is a kind of, and that it survives the way between processes."""

import pickle

import pytest

from holdfast import errors
from holdfast.errors import ConfigError, DataError, Diverged, HoldfastError, InputError, ModelError, UnknownName


def test_the_tree():
    assert {cls.__name__ for cls in InputError.__subclasses__()} == {
        "UnknownName",
        "ConfigError",
        "DataError",
        "ModelError",
        "OutputError",
    }
    assert {cls.__name__ for cls in HoldfastError.__subclasses__()} == {"InputError", "Diverged"}
    drawn = errors.__doc__ or ""
    assert all(cls.__name__ in drawn for cls in (InputError, *InputError.__subclasses__(), Diverged))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("adversaral", "unknown defence 'adversaral': did you mean 'adversarial'?"),
        ("nun", "unknown defence 'nun': did you mean 'none'?"),
        ("zzz", "unknown defence 'zzz': there are: adversarial, none, repnoise."),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest_or_with_all(name, said):
    assert str(UnknownName("defence", name, ["repnoise", "none", "adversarial"])) == said


@pytest.mark.parametrize(
    "error",
    [
        UnknownName("model", "arcanna", ["arcana"]),
        ConfigError("steps"),
        DataError("a.jsonl:3: broken"),
        ModelError("no pad token"),
        Diverged(4, {"noise": float("inf"), "refusal": 0.25}),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_survives_pickling(error):
    """A worker of the quickstart hands its error to the main process."""
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)


def test_diverged_counts_steps_from_one_and_shows_every_term():
    error = Diverged(4, {"noise": float("inf"), "refusal": 0.25})
    assert "at step 5 (noise = inf, refusal = 0.25)" in str(error)
    assert error.last_good is None


def test_diverged_leaves_the_model_in_its_process():
    error = Diverged(0, {})
    error.last_good = object()
    assert pickle.loads(pickle.dumps(error)).last_good is None
