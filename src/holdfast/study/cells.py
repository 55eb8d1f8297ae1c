"""Cells: harden a model, attack one, or teach one a task. Each is known by the hash of all that decides its result."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Final, Literal

from holdfast.config import content_hash, to_dict
from holdfast.judges._panel import fingerprints
from holdfast.methods import PromptMethod
from holdfast.models.versions import versions
from holdfast.plugins import name_of
from holdfast.records import Failure, Purpose, Record, Role, Rung
from holdfast.statistics.crossing import first_break
from holdfast.study.categories import only
from holdfast.study.fingerprint import model_fingerprint, told_origin
from holdfast.study.named import CUSTOMER, METRICS, method, open_domain
from holdfast.study.origin import code, describe, lineage, made_by, world
from holdfast.study.provider import Provided
from holdfast.study.store.manifest import Entry

Verb = Literal["harden", "attack", "learn"]
_KINDS: Final[dict[Verb, Literal["defences", "attacks"]]] = {
    "harden": "defences",
    "attack": "attacks",
    "learn": "attacks",
}


@dataclass(frozen=True, kw_only=True)
class Stop:
    """When an attack ends before its last step: a search need not know what comes after."""

    broken: float
    """Harm at or above which two rungs in a row are a break."""
    flops: float | None = None
    """What the cheapest break that is known has cost: nothing that has spent as much can be cheaper."""

    def __call__(self, rungs: Sequence[Rung]) -> str | None:
        """Why to stop after these rungs, or nothing."""
        harm = [rung.scores["harm"].value if "harm" in rung.scores else None for rung in rungs]
        if first_break(harm, self.broken) is not None:
            return "the model was broken"
        if self.flops is not None and rungs[-1].budget.flops >= self.flops:
            return "it had spent as much as the cheapest break that was known"
        return None


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of a study."""

    verb: Verb
    model: "str | Cell"
    """What is loaded: a model's name, or the cell that makes it."""
    method: str
    """The defence, the attack or the task."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Fields of the method that are set, nested ones dotted."""
    role: Role = "undefended"
    purpose: Purpose = "resistance"
    domain: str = "arcana"
    categories: tuple[str, ...] = ()
    """The only harmful categories that are used; none means all."""
    metrics: tuple[tuple[str, Mapping[str, Any]], ...] = tuple((name, {}) for name in METRICS)
    """What an attack is measured by at every rung: names and settings. A task is scored by its own questions."""
    ladder: tuple[int, ...] = ()
    seed: int = 0
    stop: Stop | None = None
    provider: tuple[Provided, ...] = ()
    """Defences that act during the training or after it, whoever trains."""
    keeps: bool = False
    """Whether the attacked model's weights are kept: no part of the result."""

    @cached_property
    def built(self) -> Any:
        """The method with its settings."""
        name, given = (self.method, self.settings) if self.verb != "learn" else ("sft", {**CUSTOMER, **self.settings})
        return method(_KINDS[self.verb], name, given)

    @property
    def measures(self) -> list[Any]:
        """The metrics that it is measured by; a hardened model is not measured."""
        asked = {
            "harden": (),
            "attack": self.metrics,
            "learn": (("utility", {"split": f"{self.method}-test"}),),
        }[self.verb]
        return [method("metrics", name, settings) for name, settings in asked]

    @cached_property
    def key(self) -> str:
        """The hash of all that decides the result: settings, code, versions, data, and the model it starts from."""
        whole, measures = open_domain(self.domain), self.measures
        asked = [name_of(whole), whole.fingerprint(), sorted({*self.categories}), world(whole).judges]
        parent = self.model.key if isinstance(self.model, Cell) else model_fingerprint(self.model)
        return content_hash(
            {
                "verb": self.verb,
                "task": self.method if self.verb == "learn" else None,
                "model": [self.title(self.model), parent],
                "method": describe(self.built),
                "role": self.role,
                "purpose": self._asks,
                "domain": [*asked, whole.max_new_tokens],
                "metrics": [_told(metric) for metric in measures],
                "ladder": self.ladder,
                "seed": self.seed,
                "judges": [list(world(whole).judges), fingerprints(whole)],
                "stop": self.stop and [self.stop.broken, self.stop.flops],
                "provider": [one.key for one in self.provider],
                "code": code(*self._parts, whole, *([self.stop] if self.stop else [])),
                "versions": versions(*self._parts),
            }
        )

    def __getstate__(self) -> dict[str, Any]:
        # Not what was computed: a worker finds out by itself whether its code gives the same key.
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @property
    def weights_key(self) -> str | None:
        """Under which the attacked model is kept; None where it is not, or where nothing of it was changed."""
        if not self.keeps or isinstance(self.built, PromptMethod):
            return None
        return content_hash([self.key, "weights"])

    def is_in(self, entries: Mapping[str, Entry]) -> bool:
        """Whether these entries of a store hold all that the cell is to leave there."""
        wanted = [key for key in (self.key, self.weights_key) if key]
        found = [entries.get(key) for key in wanted]
        failed = found[0] is not None and found[0].failure is not None
        return failed or all(entry is not None and not entry.dropped for entry in found)

    @staticmethod
    def title(model: "str | Cell") -> str:
        """A model's name, with what was done to it."""
        return f"{Cell.title(model.model)}+{model.method}" if isinstance(model, Cell) else model

    @property
    def label(self) -> str:
        """The cell in a few words."""
        told = {"harden": "harden", "attack": "attack", "learn": "teach"}[self.verb]
        return f"{told} {self.name}: {self.method}"

    @property
    def name(self) -> str:
        """The model that it starts from, with all that defends it."""
        return "+".join([self.title(self.model), *(one.made_by["name"] for one in self.provider)])

    @property
    def subject(self) -> str:
        """The hash of what is attacked: the model, and the defences around it."""
        parent = self.model.key if isinstance(self.model, Cell) else self.model
        return content_hash([parent, self.role, *(one.key for one in self.provider)])

    @property
    def _parts(self) -> list[Any]:
        """Every plug-in at work."""
        return [self.built, *self.measures, *(one.built for one in self.provider)]

    @property
    def about(self) -> dict[str, Any]:
        """What its manifest says of it."""
        return {
            "verb": self.verb,
            "model": self.name,
            "parent": self.model.key if isinstance(self.model, Cell) else None,
            "method": self.method,
            "settings": to_dict(self.built),
            "role": self.role,
            "purpose": self._asks,
            "domain": self.domain,
            "categories": list(self.categories),
            "seed": self.seed,
        }

    @property
    def made_by(self) -> dict[str, Any]:
        """What the origin of the model that it makes says, before it is made."""
        return made_by("defence", self.built, open_domain(self.domain, self.categories), self.seed)

    def failed(self, failure: Failure) -> Record:
        """The record of a cell that could not be measured, made without loading anything."""
        whole = open_domain(self.domain)
        return Record(
            purpose=self._asks,
            role=self.role,
            task=self.method if self.verb == "learn" else None,
            model=self.name,
            weights="",
            defence=lineage(self._before, [one.made_by for one in self.provider])[0],
            attack=describe(self.built),
            seed=self.seed,
            domain=world(only(whole, self.categories)),
            failure=failure,
            code=code(*self._parts, whole),
            versions=versions(*self._parts),
        )

    @property
    def _asks(self) -> Purpose:
        """Which question its record answers."""
        return "trainability" if self.verb == "learn" else self.purpose

    @property
    def _before(self) -> Mapping[str, Any]:
        """What the model that it starts from will say of where it comes from, as `origin.parent` has it."""
        made = list(reversed(ancestors(self)))
        before = told_origin(str(made[0].model if made else self.model))
        for cell in made:
            before = {"made_by": cell.made_by, "parents": [before]}
        return before


def _told(metric: Any) -> Any:
    """A metric with its settings, and the hash of the files that it reads where it reads some."""
    return [describe(metric), metric.fingerprint()] if hasattr(metric, "fingerprint") else describe(metric)


def ancestors(cell: Cell) -> list[Cell]:
    """The cells that make the model a cell starts from, the nearest first."""
    return [cell.model, *ancestors(cell.model)] if isinstance(cell.model, Cell) else []


def with_parents(cells: Iterable[Cell]) -> list[Cell]:
    """Cells and all that they wait for, each once, those first that others wait for."""
    found: dict[str, Cell] = {}
    for cell in cells:
        for each in (*reversed(ancestors(cell)), cell):
            found.setdefault(each.key, each)
    return list(found.values())
