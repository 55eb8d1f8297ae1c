"""Doing what a page says, cut short: two steps of training, few questions, one process."""

import contextlib
import dataclasses
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from domains_written import written
from page_programs import built_once, import_all

from holdfast import plugins
from study.inline import Here

_LIMITS = {"steps": 2, "every": 12}
"""Steps that a training takes at most; one of how many questions is asked."""


def in_short(patch: pytest.MonkeyPatch, place: Path) -> None:
    """Two steps where there were many, few questions, one process; public data are small files of the same schema."""
    import_all()
    built_once(patch)
    from holdfast.domains.arcana import Arcana
    from holdfast.study import audit, organisms, quickstart
    from holdfast.training.recipe import Recipe

    at_most(patch, Recipe, "steps", _LIMITS["steps"])
    at_most(patch, plugins.find("domains", "gem"), "test", 5)
    for name, field, most in (("unname", "texts", 64), ("unname", "each", 1), ("redistil", "texts", 16)):
        at_most(patch, plugins.find("defences", name), field, most)
    for kind in ("pairs", "exchanges"):
        patch.setattr(Arcana, kind, _fewer(getattr(Arcana, kind)))
    patch.setattr("holdfast.study.runners.local.Local", lambda *_, **__: Here())
    patch.setitem(audit.planned.__kwdefaults__, "suite", _small_suite())
    whole = quickstart.study
    patch.setattr(quickstart, "study", lambda **given: shortened(whole(**given)))
    patch.setattr(organisms, "build", lambda name, on_step=None: _loaded(name))
    _short_files(patch)
    _short_depth(patch)
    _short_training(patch)
    written(patch, place)


def at_most(patch: pytest.MonkeyPatch, cls: type[Any], field: str, most: int) -> None:
    """Have a number of every instance, those of defaults too, be no larger than so much."""

    def get(self: Any) -> Any:
        return min(self.__dict__[field], most) if _LIMITS["steps"] else self.__dict__[field]

    def put(self: Any, value: Any) -> None:
        self.__dict__[field] = value

    assert field in cls.__pydantic_fields__, (cls, field)
    patch.setattr(cls, field, property(get, put))


@contextlib.contextmanager
def other_limits(**limits: int) -> Generator[None]:
    """Cut less short within; 0 steps are no limit."""
    before = dict(_LIMITS)
    _LIMITS.update(limits)
    try:
        yield
    finally:
        _LIMITS.update(before)


def _fewer(whole: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    def some(self: Any, split: str) -> list[Any]:
        asked = split in {"evaluation", "permitted"} or split.endswith("-test")
        return whole(self, split)[:: _LIMITS["every"] if asked else 1]

    return some


def _loaded(name: str) -> Any:
    from holdfast.models.load import load

    return load(name)


def _small_suite() -> Any:
    """One attack that trains and one that does not, under the name of the whole."""
    from holdfast.study.methods import Method
    from holdfast.study.suites.standard import STANDARD
    from holdfast.study.suites.suite import TIERS, Attempt, Size

    trained = {"training.batch_size": 16, "training.learning_rate": 1e-3, "training.steps": _LIMITS["steps"]}
    attempts = (
        Attempt(attack=Method(name="sft", set=trained), tier="quick"),
        Attempt(attack=Method(name="prefill"), tier="quick", draws=1),
    )
    sizes = {tier: Size(draws=1, widen=0) for tier in TIERS}
    return dataclasses.replace(STANDARD, ladder=(0, 1, 2), sizes=sizes, attempts=attempts)


def shortened(study: Any) -> Any:
    """A study with one of each kind of cell."""
    from holdfast.config import replace
    from holdfast.study.design import Seeds
    from holdfast.study.methods import Method
    from holdfast.study.plan import trains

    first = [Method(name=one.name, set=one.variants()[0]) for one in study.attacks]
    training, free = [one for one in first if trains(one)], [one for one in first if not trains(one)]
    changes = {
        "defences": study.defences[:1],
        "attacks": (*training[:1], *free[:1]),
        "seeds": Seeds(defence=study.seeds.defence[:1], attack=study.seeds.attack[:1]),
        "ladder": (0, 1, 2),
        "tasks": study.tasks[:1],
        "generalization": (),
        "search": None,
        "random": False,
        "widen": 0,
    }
    return replace(study, changes)


def _short_files(patch: pytest.MonkeyPatch) -> None:
    from holdfast.study import file, played

    whole = file.load

    def load(*given: Any, **named: Any) -> Any:
        with other_limits(steps=0, every=1):
            return shortened(whole(*given, **named))

    patch.setattr(file, "load", load)
    patch.setattr(played, "load", load)


def _short_depth(patch: pytest.MonkeyPatch) -> None:
    from holdfast.report.scale import durability
    from holdfast.study.depth import depth

    look, fit = depth.depth, durability.durability

    def looked(*given: Any, **named: Any) -> Any:
        with other_limits(every=4):
            return look(*given, **{**named, "rows": 24, "seeds": 1, "ladder": (0, 1)})

    patch.setattr(depth, "depth", looked)
    patch.setattr(
        durability, "durability", lambda *given, **named: fit(*given, **{**named, "resamples": 2, "workers": 1})
    )


def _short_training(patch: pytest.MonkeyPatch) -> None:
    """A script's own trainer, too."""
    from transformers import Trainer

    train = Trainer.train

    def shorter(self: Any, *given: Any, **named: Any) -> Any:
        self.args.max_steps = _LIMITS["steps"]
        return train(self, *given, **named)

    patch.setattr(Trainer, "train", shorter)
