"""What a study is: models, defences, attacks and seeds, crossed, and what is measured.

    Study(name="rates", defences=["repnoise"], attacks=["sft", {"name": "prefill"}], seeds=[0, 1, 2])

`study.file` reads the same from YAML. Shapes are checked when a study is made, names and settings by
`study.check`. Nothing here imports torch.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import pydantic
from pydantic import AfterValidator, Field

from holdfast.config import config
from holdfast.errors import ConfigError
from holdfast.records import RANDOM
from holdfast.statistics.crossing import THRESHOLD
from holdfast.study.categories import spread_out
from holdfast.study.methods import Attacks, Chosen, Method, Pipeline, measured_once, no_twins
from holdfast.study.mistakes import Misfit, explained
from holdfast.study.values import (
    DISTINCT,
    LISTED,
    SOME,
    Count,
    DomainName,
    Draws,
    FolderName,
    LeftOut,
    Name,
    Names,
    Positive,
    Rungs,
    Settings,
    for_each_of,
    short_for,
)

LADDER: Final = (0, 1, 2, 3, 5, 10, 20, 30)
"""Where an attack is measured unless a study says otherwise; those past an attack's end are left out."""


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

    leave_out: LeftOut = None
    """`one` leaves out each category in turn; `halves` shows the first half of the sorted categories and attacks with
    the others, and the other way round; a list leaves out those, a group of the domain's all that it stands for."""
    domain: DomainName | None = None
    """Cross-domain instead: defend on this domain, attack on the study's own."""
    attacks: Attacks | None = None
    """None means those of the study that train."""

    def __post_init__(self) -> None:
        if (self.leave_out is None) == (self.domain is None):
            raise Misfit("expected either leave_out or domain.")

    def splits(
        self, categories: Sequence[str], groups: Mapping[str, Sequence[str]] | None = None
    ) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """The categories that a defence is shown, and those it is attacked with, for each hardening.

        Args:
            categories: all harmful categories of the domain, in any order.
            groups: the domain's names for several at once.

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
        if self.leave_out == "one":
            chosen = [{name} for name in known]
        else:
            chosen = [{*spread_out(self.leave_out, known, groups or {})}]
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

    name: FolderName = "study"
    """What it is called, and the folder of its results with it."""
    domain: DomainName = "arcana"
    """A domain's name, or a directory of JSON lines; with settings as `{name: ..., set: {...}}`."""
    models: Annotated[Names, SOME] = ("arcana",)
    """What is defended: organisms, directories or hub ids. Each is attacked undefended, too."""
    oracle: Name | None = None
    """A model that never had the knowledge: the negative control."""
    random: Annotated[bool, Field(strict=True)] = False
    """Whether each model's random initialisation is attacked too: what an attack teaches one who knew nothing."""
    defences: Annotated[tuple[Pipeline, ...], LISTED, AfterValidator(no_twins)] = ()
    """Each a pipeline, applied one after the other; a single method is one of length one."""
    attacks: Attacks = (Method(name="sft"),)
    """The battery."""
    search: Annotated[Search, short_for("attack")] | None = None
    """An adaptive adversary beside the battery; None means none."""
    seeds: Annotated[Seeds, for_each_of("defence", "attack")] = Seeds()
    """A plain list gives both."""
    ladder: Rungs = LADDER
    """Optimiser steps of an attack after which every metric is measured."""
    metrics: Annotated[tuple[Chosen, ...], LISTED, SOME, AfterValidator(measured_once)] = (
        Method(name="harm"),
        Method(name="utility"),
    )
    """What is measured at each rung."""
    tasks: Names = ()
    """Harmless tasks that are learnt: trainability."""
    tasks_from: DomainName | None = None
    """The domain whose tasks those are, `gem` for one; None means the study's own."""
    generalization: Annotated[tuple[Annotated[Generalization, short_for("leave_out")], ...], LISTED, DISTINCT] = ()
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
            raise explained(error, _SHAPES, getattr(values, "kwargs", None) or {}) from None

    def __post_init__(self) -> None:
        if self.tasks_from and not self.tasks:
            raise Misfit(f"no task of {self.tasks_from} is named: name some under tasks.", "tasks_from")
        if self.oracle in self.models:
            raise Misfit(f"{self.oracle!r} is one of the models; an oracle is another.", "oracle")
        for at, name in enumerate(self.models):
            if self.random and name.startswith(RANDOM):
                raise Misfit(
                    f"{name!r} has random weights already: name a trained model, or leave out random.", "models", at
                )
        for at, other in enumerate(self.generalization):
            if other.domain == self.domain:
                raise Misfit(f"{self.domain!r} is the study's own: name another.", "generalization", at, "domain")


_SHAPES: Final[dict[str | int, type[Any]]] = {
    "": Study,
    **dict.fromkeys(("attacks", "defences", "metrics"), Method),
    "generalization": Generalization,
    "search": Search,
    "seeds": Seeds,
}
"""What a study is made of, by key."""
