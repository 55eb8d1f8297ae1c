"""What `report.json` holds: the whole of a report as plain data, from which every page is drawn.

`holdfast report --schema` prints it as a JSON Schema. A change that takes a field away, or gives one
another meaning, raises the number in `SCHEMA`.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from holdfast.records import Purpose, Role
from holdfast.report.curves import Category, Curve, Free, Learnt, Said
from holdfast.report.figure import Ability, ConditionName, Figure, Outcome, Status
from holdfast.report.opinions import Opinion
from holdfast.report.seeds import Comparison
from holdfast.statistics.crossing import Unit

SCHEMA: Final = "holdfast.report/1"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One of the four immunization conditions (arXiv 2402.16382, section 2)."""

    name: ConditionName
    status: Status
    sentence: str
    """What was found, in plain words."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """Something that must come out right before a verdict means anything."""

    name: Literal["positive", "negative", "collapse"]
    status: Literal["passed", "failed", "not available"]
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Least:
    """The least that any attack had to spend to break one model: above `below`, no more than `at`."""

    below: float
    below_attack: str
    """The attack that sets this bound, in words."""
    at: float | None
    """None: no attack broke it."""
    at_attack: str | None


@dataclass(frozen=True, kw_only=True)
class Multiplied:
    """The attacker's cost multiplier in one unit: at least `low`, at most `high`."""

    unit: Unit
    low: float | None
    high: float | None
    """None: no upper bound."""
    reason: str | None
    """Why there is no multiplier, where there is none."""
    undefended: Least | None
    defended: Least | None


@dataclass(frozen=True, kw_only=True)
class Split:
    """What came of categories, or a domain, that a sibling of the hardened model was not shown."""

    left_out: list[str]
    """The categories; none where it was hardened on another domain."""
    shown: str | None
    """That domain."""
    low: float | None
    """The multiplier in training FLOPs is at least this."""
    high: float | None
    reason: str | None
    """Why there is no multiplier, where there is none."""
    undefended_harm: Figure
    """The most that any attack by training reached."""
    defended_harm: Figure
    decides: bool
    """Whether the condition rests on it: it is the worst."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """How long a harmless task takes to learn: a score of `target` is reached above `*_below` and by `*_at` steps."""

    name: str
    target: float | None
    undefended_below: int | None
    undefended_at: int | None
    """None: not reached within the run."""
    defended_below: int | None
    defended_at: int | None
    undefended_score: Figure
    """At the end of the run."""
    defended_score: Figure
    status: Status
    sentence: str
    undefended_curve: list[Learnt] = field(default_factory=list[Learnt])
    """The score at every rung."""
    defended_curve: list[Learnt] = field(default_factory=list[Learnt])


@dataclass(frozen=True, kw_only=True)
class General:
    """One general task, before any attack."""

    name: str
    """With its metric and how it was put, where it counts."""
    undefended: Figure
    defended: Figure
    counts: bool
    """Whether `stability` is the mean of it and others: of a task of which less is better it is not."""


@dataclass(frozen=True, kw_only=True)
class Able:
    """The one figure that stability rests on: what either model can before any attack."""

    measure: Ability
    undefended: Figure
    defended: Figure
    guessed: float
    """What guessing gives: nothing but what is above it counts."""
    tasks: list[General] = field(default_factory=list[General])
    """General tasks, where they were measured on both models."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One record, so that it can be found and run again."""

    file: str
    purpose: Purpose
    role: Role
    model: str
    weights: str
    attack: str
    settings: dict[str, Any]
    defence: dict[str, Any] | None
    seed: int
    task: str | None
    categories: list[str] | None
    steps: int
    seconds: float | None
    failure: str | None
    stopped: str | None = None
    """Why it was stopped before its end, on purpose, where it was."""
    code: str
    versions: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """All that is said of one hardened model."""

    model: str
    name: str = ""
    """The model, and what tells it from others of the report that are called the same: a setting, a seed."""
    weights: str
    """Their hash; empty where no run came so far as to tell it."""
    not_made: str | None = None
    """Why there is no such model, or none that any run could load, where that is so."""
    defence: dict[str, Any]
    outcome: Outcome
    headline: str
    """One sentence for a release decision."""
    findings: list[str]
    """What the headline rests on, a sentence each."""
    caveats: list[str]
    """What a reader must know before resting on it."""
    conditions: list[Condition]
    controls: list[Control]
    multipliers: list[Multiplied]
    """In training FLOPs first, which is the one that counts."""
    removal: float | None
    """Of the harm that the worst attack brings back, the share removed, corrected for guessing."""
    curves: list[Curve]
    categories: list[Category]
    judges: list[Opinion] = field(default_factory=list[Opinion])
    """What each of several judges says; none where one judge alone was asked."""
    free: list[Free]
    generalization: list[Multiplied]
    """The multipliers on categories that the defence never saw."""
    left_out: list[str]
    """Those categories."""
    splits: list[Split] = field(default_factory=list[Split])
    """Every set of categories that was left out, and every other domain; `generalization` is of the worst."""
    generalization_curves: list[Curve]
    tasks: list[Task]
    able: Able | None = None
    """What stability rests on; None where nothing tells it."""
    said: list[Said]
    weak: list[str]
    """Attacks that did not break the undefended model, so that they tell nothing."""
    failed: list[str]
    one_sided: list[str]
    """Attacks run on one of the two models only."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report on every hardened model in a folder of records."""

    schema: str = SCHEMA
    title: str
    holdfast: str
    """The version that wrote the report."""
    domain: str
    data: str
    """The fingerprint of the domain's data."""
    floor: float | None
    judges: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """Who judged harm, with settings, the one that decides first; none where harm was not scored."""
    terms: dict[str, Any]
    """The threshold, bounds and tolerances of the verdict, by name."""
    comparisons: list[Comparison] = field(default_factory=list[Comparison])
    """One for each defence: all models that it hardened, by its seed."""
    verdicts: list[Verdict]
    threat_model: list[str]
    limits: list[str]
    not_measured: list[str]
    show_text: bool
    """Whether restricted text was asked for."""
    alone: bool = False
    """Whether models were judged by themselves, with no undefended one to compare with."""
    runs: list[Run] = field(default_factory=list[Run])
