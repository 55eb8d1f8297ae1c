"""Several guards as one: what each gives is added up, and nothing of it is lost."""

from types import SimpleNamespace

from holdfast.training.guarding.together import together


def test_none_is_none_and_one_is_itself():
    guard = SimpleNamespace(penalty=lambda *_: {"a": 1.0})
    assert together([]) is None
    assert together([guard]) is guard


def test_penalties_of_one_name_add_up():
    """1 + 2 under one name, 4 under another."""
    first = SimpleNamespace(penalty=lambda *_: {"retain": 1.0})
    second = SimpleNamespace(penalty=lambda *_: {"retain": 2.0, "drift": 4.0})
    assert together([first, second]).penalty(None, None, None) == {"retain": 3.0, "drift": 4.0}


def test_a_step_is_replaced_by_the_first_that_would():
    guards = [SimpleNamespace(replace_step=lambda *_, terms=terms: terms) for terms in (None, {"b": 1.0}, {"c": 1.0})]
    assert together(guards).replace_step(None, None) == {"b": 1.0}


def test_only_what_some_guard_has_is_there():
    """A trainer asks for a hook by looking for it."""
    seen = []
    first = SimpleNamespace(before_step=lambda *told: seen.append(("first", *told)))
    second = SimpleNamespace(before_step=lambda *told: seen.append(("second", *told)), finish=seen.append)
    guard = together([first, second])
    guard.before_step("model", 3)
    guard.finish("model")
    assert seen == [("first", "model", 3), ("second", "model", 3), "model"]
    assert not hasattr(guard, "penalty")
    assert not hasattr(guard, "replace_step")
