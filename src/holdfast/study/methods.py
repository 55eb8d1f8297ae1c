"""A defence, an attack or a metric as a study names it, and the variants that a grid of its fields gives."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypeVar, cast

import pydantic
from pydantic import AfterValidator

from holdfast.config import canonical, config
from holdfast.study.mistakes import Misfit
from holdfast.study.values import LISTED, PIPED, SOME, Grid, Name, Settings, distinct, short_for

T = TypeVar("T")


@config
class Method:
    """A defence, an attack or a metric: by name, with the fields that are set, or a grid of them."""

    name: Name
    """Of the plug-in, or of a preset of it: `sft/backdoor`."""
    set: Settings = dataclasses.field(default_factory=dict[str, Any])
    """Fields by their dotted names, as `-s` of the command line has them."""
    each: Grid = dataclasses.field(default_factory=dict[str, list[Any]])
    """A grid: several values of a field; one variant for each combination."""

    @pydantic.field_validator("each")
    @classmethod
    def _is_a_grid(cls, each: dict[str, list[Any]], info: pydantic.ValidationInfo) -> dict[str, list[Any]]:
        for name, values in each.items():
            if not values:
                raise Misfit("expected at least one value.", name)
            if name in info.data.get("set", {}):
                raise Misfit(f"{name!r} stands under set as well; leave one out.", name)
        return each

    def variants(self) -> list[dict[str, Any]]:
        """The settings of every variant: fields by name, the last one's values the quickest to change."""
        grid = sorted(self.each.items())
        combinations = itertools.product(*(values for _, values in grid))
        return [{**self.set, **dict(zip(dict(grid), values, strict=True))} for values in combinations]


def spread(methods: Iterable[Method]) -> list[Method]:
    """Every variant of every method as a method of its own, without a grid."""
    return [Method(name=method.name, set=settings) for method in methods for settings in method.variants()]


def pipelines(defence: Iterable[Method]) -> list[tuple[Method, ...]]:
    """Every pipeline that the grids of a defence's methods multiply out to, its methods without grids."""
    return list(itertools.product(*(spread([method]) for method in defence)))


def label(pipeline: Iterable[Method]) -> str:
    """A pipeline in one line: `repnoise training.steps=50 + adversarial`."""
    said = ([method.name, *(f"{name}={canonical(method.set[name])}" for name in method.set)] for method in pipeline)
    return " + ".join(map(" ".join, said))


def no_twins(methods: tuple[T, ...], *, told: Callable[[Method], Any] | None = None) -> tuple[T, ...]:
    """Methods, or pipelines of them, no variant of which is there twice by what is `told` of its methods."""
    seen: dict[str, int] = {}
    for at, one in enumerate(methods):
        for pipeline in pipelines((one,) if isinstance(one, Method) else cast("tuple[Method, ...]", one)):
            key = canonical([told(part) if told else [part.name, part.set] for part in pipeline])
            if key in seen:
                raise Misfit(f"{label(pipeline)} is there already, at [{seen[key]}]: leave one out.", at)
            seen[key] = at
    return methods


def measured_once(metrics: tuple[Method, ...]) -> tuple[Method, ...]:
    """Metrics, each of which is there once and has no grid."""
    distinct(tuple(metric.name for metric in metrics))
    for at, metric in enumerate(metrics):
        if metric.each:
            raise Misfit("a metric has no grid: its scores would overwrite one another.", at, "each")
    return metrics


Chosen = Annotated[Method, short_for("name")]
Pipeline = Annotated[tuple[Chosen, ...], PIPED, SOME]
Attacks = Annotated[tuple[Chosen, ...], LISTED, SOME, AfterValidator(no_twins)]
