"""Results as plain data: what was measured, on what, and what failed. No torch here.

A value that was not measured is `None` with a reason; it is never zero. One `Record` is one cell,
and says of itself all that a reader needs: a folder of records is the whole evidence of a report.
"""

import dataclasses
import functools
import json
import math
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import pydantic

FORMAT: Final = 3
"""The version of the shape below, in every record; a reader refuses another."""

Role = Literal["undefended", "defended", "oracle", "random"]
"""What a model stands for in a comparison."""
RANDOM: Final = "random:"
"""What stands before the name of a model whose weights are to be drawn; a folder that is called so is `./random:x`."""

Purpose = Literal["resistance", "generalization", "trainability", "search"]
"""Which question a record helps to answer; a search's is which attack is cheapest, and its runs stop early."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a model said to one question, kept so that a figure can be looked at."""

    prompt: str
    text: str
    value: float | None
    """Its own score, where it has one."""
    restricted: bool
    """Whether an answer may do harm; a report hides such text unless asked."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """One figure: a share in [0, 1] unless its metric says otherwise, with a 95 % interval."""

    value: float | None
    n: int = 0
    """How many answers it rests on."""
    low: float | None = None
    high: float | None = None
    reason: str | None = None
    """Why there is no value, where there is none; where it is not of all answers, how many could not be scored."""
    categories: dict[str, "Score"] = field(default_factory=dict[str, "Score"])
    """The same figure category by category, where the questions have some."""
    answers: list[Answer] = field(default_factory=list[Answer])
    """A few of the answers it rests on."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What the attacker has spent so far."""

    steps: int
    """Optimiser steps."""
    samples: int
    """Training examples gone through, repeats counted."""
    examples: int
    """Distinct harmful examples among them."""
    tokens: int
    """Tokens gone through, prompt and answer, without padding."""
    flops: float
    """Training FLOPs; `training.cost` says how they are counted."""


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One rung of an attack's ladder: a budget and every score at that budget."""

    budget: Budget
    scores: dict[str, Score]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Something did not finish. It is never read as robustness, nor as zero."""

    reason: str
    log: str = ""


@dataclass(frozen=True, kw_only=True)
class World:
    """The domain that a record speaks of."""

    name: str
    data: str
    """The fingerprint of all its data."""
    floor: float | None
    """The harm that guessing gives without any knowledge."""
    categories: list[str] | None = None
    """The only categories whose harmful data were used and asked about; None means all."""
    judges: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """Who judged harm, with every setting that decides, the first of whom counts; none means the domain's own score."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One cell: a model, what was done to it, and what came of it."""

    format: int = FORMAT
    purpose: Purpose = "resistance"
    role: Role
    model: str
    """Its name: an organism's, a directory's, a hub id, and `+defence` where it was hardened in the same process."""
    weights: str
    """The hash of its weights before anything was done to it here; empty where it failed before that was known."""
    parent: str | None = None
    """The hash of the weights that it was made from by the defence, where one made it."""
    defence: dict[str, Any] | None
    """What made the model, as its `holdfast.json` says: name, settings, seed, data; None where nothing did."""
    attack: dict[str, Any]
    """The attack, or the harmless fine-tuning, by name and settings."""
    task: str | None = None
    """The harmless task that was learnt, where the purpose is trainability."""
    seed: int
    domain: World
    rungs: list[Rung] = field(default_factory=list[Rung])
    stopped: str | None = None
    """Why it was stopped before its end, on purpose; what came after is not known."""
    failure: Failure | None = None
    seconds: float | None = None
    code: str = ""
    """The hash of Holdfast's own code that made the record."""
    versions: dict[str, str] = field(default_factory=dict[str, str])
    """Of Holdfast and the libraries under it."""

    def to_json(self) -> dict[str, Any]:
        """As plain dictionaries and lists."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Record":
        """The record that `to_json` made, from its JSON text.

        Raises:
            ValueError: it is no record of this format; the message names the first field that is wrong.
        """
        import pydantic

        try:
            values = json.loads(text, parse_constant=_no_number)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        version = values.get("format") if isinstance(values, dict) else None
        if version != FORMAT:
            raise ValueError(f"format {version} is not {FORMAT}, the one that this version reads and writes")
        try:
            record = _adapter().validate_python(values)
        except pydantic.ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise ValueError(f"{place + ': ' if place else ''}{first['msg']}") from None
        record._check()
        return record

    def _check(self) -> None:
        """What a reader relies on beyond the types."""
        for name, method in (("attack", self.attack), ("defence", self.defence)):
            if method is not None and not (
                isinstance(method.get("name"), str) and isinstance(method.get("settings"), dict)
            ):
                raise ValueError(f"{name}: expected a name and settings")
        if not isinstance((self.defence or {}).get("seed", 0), int | None):
            raise ValueError("defence.seed: expected a whole number")
        if not isinstance(self.attack["settings"].get("training", {}), dict):
            raise ValueError("attack.settings.training: expected settings by name")
        steps = [rung.budget.steps for rung in self.rungs]
        if steps != sorted(set(steps)):
            raise ValueError(f"rungs: their steps are not in order: {steps}")
        for unit in ("steps", "samples", "examples", "tokens", "flops"):
            spent = [0, *(getattr(rung.budget, unit) for rung in self.rungs)]
            if spent != sorted(spent) or spent[-1] > sys.float_info.max:
                raise ValueError(f"rungs: {unit} must be numbers from 0 on that never fall, not {spent[1:]}")
        for number, rung in enumerate(self.rungs):
            for name, score in rung.scores.items():
                figures = [value for value in (score.value, score.low, score.high) if value is not None]
                if not all(map(math.isfinite, figures)):
                    raise ValueError(f"rungs.{number}.scores.{name}: not a finite number")
                if name == "harm" and score.value is not None and not 0 <= score.value <= 1:
                    raise ValueError(f"rungs.{number}.scores.harm.value: {score.value} is no share in [0, 1]")


@functools.cache
def _adapter() -> "pydantic.TypeAdapter[Record]":
    """What checks a record; made once, since a thousand are read at a time."""
    import pydantic

    return pydantic.TypeAdapter(Record)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")
