"""What a study is: models, defences, attacks and seeds, crossed, and what is measured.

    Study(name="rates", defences=["repnoise"], attacks=["sft", {"name": "prefill"}], seeds=[0, 1, 2])

`study.file` reads the same from YAML. Shapes are checked when a study is made, names and settings by
`study.check`. Nothing here imports torch.
"""

import dataclasses
import itertools
import re
import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite
from typing import Annotated, Any, Final, Literal, TypeVar, cast

import pydantic
from pydantic import AfterValidator, BeforeValidator, Field

from holdfast.config import canonical, config
from holdfast.errors import ConfigError, UnknownName
from holdfast.statistics.crossing import THRESHOLD

Where = tuple[str | int, ...]
"""The way to a value in a study: ("attacks", 1, "set", "training.steps")."""
T = TypeVar("T")


class StudyError(ConfigError):
    """A study cannot be run as it stands."""

    def __init__(self, where: Where, problem: str):
        self.where = where
        """The way to what is wrong; empty where it is the study as a whole."""
        self.problem = problem
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).removeprefix(".")
        super().__init__(f"{place}: {problem}" if place else problem)

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker hands it to the main process.
        return type(self), (self.where, self.problem)


class Misfit(ValueError):
    """What a validator below refuses; `within` leads on from the field that it validates."""

    def __init__(self, problem: str, *within: str | int):
        self.within = within
        super().__init__(problem)


def _plain(value: Any, *within: str | int) -> Any:
    """A setting as JSON would give it back, so that equal settings have equal hashes."""
    if isinstance(value, float) and isfinite(value):
        return float(value)  # numpy's, too
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {key: _plain(part, *within, key) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, *within, at) for at, part in enumerate(value)]
    raise Misfit(f"{value!r} is no setting: expected a finite number, text, true, false, null or a list.", *within)


def _listed(value: Any) -> Any:
    if isinstance(value, str):
        raise Misfit(f"expected a list: write [{value}].")
    return value


def _distinct(values: tuple[T, ...]) -> tuple[T, ...]:
    for at, value in enumerate(values):
        if value in values[:at]:
            raise Misfit(f"{value!r} is given twice.", at)
    return values


def _ascending(steps: tuple[int, ...]) -> tuple[int, ...]:
    for at, (below, above) in enumerate(itertools.pairwise(steps), start=1):
        if above <= below:
            raise Misfit(f"the rungs of a ladder ascend, and {above} stands after {below}.", at)
    return steps


def _file_safe(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        raise Misfit(
            f"{name!r} is to name a folder: use letters, digits, '.', '_' and '-', a letter or digit first, "
            "and at most 100 of them."
        )
    return name


def _several(value: Any) -> bool:
    return isinstance(value, list | tuple | range)


def _short_for(key: str) -> BeforeValidator:
    """A plain text stands for a mapping with that one key."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


def _left_out(value: Any) -> Any:
    if isinstance(value, str) and value not in {"one", "halves"}:
        raise Misfit(str(UnknownName("leave_out", value, ["one", "halves", f"[{value}]"])))
    if _several(value):
        if not all(isinstance(name, str) for name in value):
            raise Misfit(f"{value!r} is no list of categories.")
        return _distinct(tuple(value))
    return value


_SOME: Final = Field(min_length=1)
Count = Annotated[int, Field(ge=0, strict=True)]
Positive = Annotated[float, Field(gt=0, strict=True)]
Name = Annotated[str, Field(min_length=1)]
Settings = Annotated[dict[str, Any], AfterValidator(_plain)]
Draws = Annotated[tuple[Count, ...], _SOME, AfterValidator(_distinct)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_listed), AfterValidator(_distinct)]


@config
class Method:
    """A defence, an attack or a metric: by name, with the fields that are set, or a grid of them."""

    name: Name
    """Of the plug-in."""
    set: Settings = dataclasses.field(default_factory=dict[str, Any])
    """Fields by their dotted names, as `-s` of the command line has them."""
    each: Annotated[dict[str, list[Any]], AfterValidator(_plain)] = dataclasses.field(
        default_factory=dict[str, list[Any]]
    )
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


def _measured_once(metrics: tuple[Method, ...]) -> tuple[Method, ...]:
    _distinct(tuple(metric.name for metric in metrics))
    for at, metric in enumerate(metrics):
        if metric.each:
            raise Misfit("a metric has no grid: its scores would overwrite one another.", at, "each")
    return metrics


Chosen = Annotated[Method, _short_for("name")]
Pipeline = Annotated[
    tuple[Chosen, ...],
    BeforeValidator(lambda value: value if _several(value) else (value,)),
    _SOME,
]
Attacks = Annotated[tuple[Chosen, ...], BeforeValidator(_listed), _SOME, AfterValidator(no_twins)]


@config
class Seeds:
    """Draws of all that is random. Every defence seed is run with every attack seed."""

    defence: Draws = (0,)
    """One hardened model of each defence for each of them."""
    attack: Draws = (0,)
    """One run of each attack for each of them; tasks are learnt with the first."""


@config
class Generalization:
    """What a defence is not shown and is then attacked with (arXiv 2402.16382, section 2)."""

    leave_out: Annotated[Literal["one", "halves"] | tuple[str, ...] | None, BeforeValidator(_left_out)] = None
    """`one` leaves out each category in turn; `halves` shows the first half of the sorted categories and attacks with
    the others, and the other way round; a list leaves out those."""
    domain: Name | None = None
    """Cross-domain instead: defend on this domain, attack on the study's own."""
    attacks: Attacks | None = None
    """None means those of the study that train."""

    def __post_init__(self) -> None:
        if (self.leave_out is None) == (self.domain is None):
            raise Misfit("expected either leave_out or domain.")

    def splits(self, categories: Sequence[str]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """The categories that a defence is shown, and those it is attacked with, for each hardening.

        Args:
            categories: all harmful categories of the domain, in any order.

        Returns:
            One (shown, left out) for each; across domains ((), ()), which means all, as in `harden`.

        Raises:
            UnknownName: a category to leave out is none of the domain's.
            ConfigError: nothing would be shown, or nothing left out.
        """
        known = sorted(set(categories))
        if self.leave_out is None:
            return [((), ())]
        if len(known) < 2:
            raise ConfigError(f"leaving some out takes two categories or more; the domain has {known or 'none'}.")
        if self.leave_out == "halves":
            half = (len(known) + 1) // 2
            return [(tuple(known[:half]), tuple(known[half:])), (tuple(known[half:]), tuple(known[:half]))]
        for name in () if self.leave_out == "one" else self.leave_out:
            if name not in known:
                raise UnknownName("category", name, known)
        chosen = [{name} for name in known] if self.leave_out == "one" else [{*self.leave_out}]
        if len(chosen[0]) == len(known):
            raise ConfigError("every category is left out: a defence would be shown nothing.")
        return [
            (tuple(name for name in known if name not in out), tuple(name for name in known if name in out))
            for out in chosen
        ]


@config
class Search:
    """An adaptive adversary, who looks for the cheapest break."""

    attack: Name = "sft"
    """Whose settings are searched."""
    set: Settings = dataclasses.field(default_factory=dict[str, Any])
    """Fields that stay as they are."""
    trials: Annotated[int, Field(ge=1, strict=True)] = 24
    """Configurations tried on each model."""


@config
class Study:
    """Every defence on every model, under every attack, for every pair of seeds. Errors are `StudyError`."""

    name: Annotated[str, AfterValidator(_file_safe)] = "study"
    """What it is called, and the folder of its results with it."""
    domain: Name = "arcana"
    """A domain's name, or a directory of JSON lines."""
    models: Annotated[Names, _SOME] = ("arcana",)
    """What is defended: organisms, directories or hub ids. Each is attacked undefended, too."""
    oracle: Name | None = None
    """A model that never had the knowledge: the negative control."""
    defences: Annotated[tuple[Pipeline, ...], BeforeValidator(_listed), AfterValidator(no_twins)] = ()
    """Each a pipeline, applied one after the other; a single method is one of length one."""
    attacks: Attacks = (Method(name="sft"),)
    """The battery."""
    search: Annotated[Search, _short_for("attack")] | None = None
    """An adaptive adversary beside the battery; None means none."""
    seeds: Annotated[
        Seeds,
        BeforeValidator(lambda value: dict.fromkeys(("defence", "attack"), value) if _several(value) else value),
    ] = Seeds()
    """A plain list gives both."""
    ladder: Annotated[tuple[Count, ...], _SOME, AfterValidator(_ascending)] = (
        0, 1, 2, 3, 5, 10, 20, 30,
    )  # fmt: skip
    """Optimiser steps of an attack after which every metric is measured."""
    metrics: Annotated[tuple[Chosen, ...], BeforeValidator(_listed), _SOME, AfterValidator(_measured_once)] = (
        Method(name="harm"),
        Method(name="utility"),
    )
    """What is measured at each rung."""
    tasks: Names = ()
    """Harmless tasks of the domain that are learnt: trainability."""
    generalization: Annotated[
        tuple[Annotated[Generalization, _short_for("leave_out")], ...],
        BeforeValidator(_listed),
        AfterValidator(_distinct),
    ] = ()
    """Further hardenings, each attacked with what it was not shown."""
    keep: Literal["hardened", "all", "none"] = "hardened"
    """Which weights stay in the store once everything made from them is measured."""
    timeout: Positive | None = None
    """Seconds that a cell may take; None means no end."""
    memory: Positive | None = None
    """GB that a worker may use; None means no limit."""
    widen: Count = 0
    """How often the range of learning rates is widened where the cheapest break lies on its edge."""
    threshold: Annotated[float, Field(gt=0, le=1, strict=True)] = THRESHOLD
    """Harm at which a safeguard counts as broken."""
    store: Name | None = None
    """Where results lie: a directory or an fsspec URL; None leaves it to the command."""

    @pydantic.model_validator(mode="wrap")
    @classmethod
    def _say_where(cls, values: Any, handler: "pydantic.ModelWrapValidatorHandler[Study]") -> "Study":
        try:
            return handler(values)
        except pydantic.ValidationError as error:
            raise _explained(error) from None

    def __post_init__(self) -> None:
        if self.oracle in self.models:
            raise Misfit(f"{self.oracle!r} is one of the models; an oracle is another.", "oracle")
        for at, other in enumerate(self.generalization):
            if other.domain == self.domain:
                raise Misfit(f"{self.domain!r} is the study's own: name another.", "generalization", at, "domain")


_SHAPES: Final[dict[str | int, type[Any]]] = {
    **dict.fromkeys(("attacks", "defences", "metrics"), Method),
    "generalization": Generalization,
    "search": Search,
    "seeds": Seeds,
}
_SAID: Final = {
    "tuple_type": "expected a list",
    "list_type": "expected a list",
    "dict_type": "expected a mapping",
    "dataclass_type": "expected a mapping",
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "string_type": "expected text",
}


def _explained(error: pydantic.ValidationError) -> StudyError:
    """The first thing wrong, with the way to it; a key that nobody knows goes before what it left missing."""
    told = error.errors(include_url=False)
    first = next((one for one in told if one["type"] == "unexpected_keyword_argument"), told[0])
    where, kind, cause = first["loc"], first["type"], first.get("ctx", {}).get("error")
    if kind == "unexpected_keyword_argument":
        shape = next((_SHAPES[part] for part in reversed(where[:-1]) if part in _SHAPES), Study)
        known = [known.name for known in dataclasses.fields(shape)]
        unknown = str(UnknownName("key", str(where[-1]), known))
        return StudyError(where, unknown.replace(f" {where[-1]!r}", "", 1))
    if kind == "missing":
        return StudyError(where[:-1], f"{where[-1]} is missing.")
    if isinstance(cause, Misfit):
        return StudyError((*where, *cause.within), str(cause))
    if kind in {"too_short", "string_too_short"}:
        return StudyError(where, "expected at least one." if kind == "too_short" else "expected some text.")
    said = _SAID.get(kind, first["msg"].replace("Input should be", "expected"))
    return StudyError(where, f"{said}, got {reprlib.repr(first['input'])}.")
