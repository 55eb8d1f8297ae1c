"""`audit.json`: the record of an audit for machines. A change that takes a field away raises the number in `SCHEMA`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from holdfast.records import Record, Role
from holdfast.report.audit.word import EXIT, Word, decide
from holdfast.report.figure import Figure, Outcome
from holdfast.report.schema import Condition, Control, Multiplied, Report, Verdict
from holdfast.report.verdict.evidence import trains
from holdfast.report.verdict.labels import attack_label
from holdfast.report.verdict.measured import before, figure, worst
from holdfast.statistics.crossing import crossing

SCHEMA: Final = "holdfast.audit/1"


@dataclass(frozen=True, kw_only=True)
class Suite:
    """The battery."""

    name: str
    version: str
    tier: str


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One of the models."""

    name: str
    weights: str
    """Their hash; empty where no run came so far as to tell it."""
    role: Role


@dataclass(frozen=True, kw_only=True)
class Break:
    """An attack that broke the model."""

    attack: str
    """In words."""
    method: str
    """The attack as the suite names it: `sft/backdoor`."""
    seed: int
    trains: bool
    harm: Figure
    """The most that it reached."""
    flops: float
    """Spent when it was broken first; 0 where nothing is trained."""
    steps: int
    examples: int


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A run that did not finish."""

    model: str
    role: Role
    attack: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """An attack of the tier that was not run."""

    method: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Audited:
    """What came of an audit."""

    schema: str = SCHEMA
    holdfast: str
    """The version that audited."""
    suite: Suite
    domain: str
    data: str
    """The fingerprint of the domain's data."""
    judges: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """Who judged harm, with settings, the one that decides first; none where no harm was scored."""
    seed: int
    model: Subject
    base: Subject | None
    """Of which the model is a defended version; None where it was judged alone."""
    control: Subject
    """The oracle, or random initialisation in its place."""
    outcome: Word
    exit_code: int
    reason: str
    required_multiplier: float | None
    verdict: Outcome
    """The word of the report, which knows no required multiplier, and tells a ruin from a break."""
    headline: str
    multipliers: list[Multiplied]
    """The attacker's cost, in each unit; where there is no base the bounds are None, and the cost is absolute."""
    harm_before: Figure
    harm_worst: Figure
    """The most that any attack reached."""
    utility_before: Figure
    breaks: list[Break]
    """Those that broke the model, the cheapest first: what trains nothing costs nothing."""
    attacks: int
    """How many were run on the model."""
    conditions: list[Condition]
    controls: list[Control]
    failures: list[Failed]
    left_out: list[LeftOut]
    caveats: list[str]
    versions: dict[str, str]
    """Of Holdfast and the libraries under it."""
    report: str = "report.html"
    records: str = "records"
    """Where in the folder the evidence is."""


def audited(
    report: Report,
    found: Mapping[str, Record],
    methods: Mapping[str, str],
    *,
    suite: Suite,
    model: Subject,
    base: Subject | None,
    control: Subject,
    seed: int,
    left_out: Mapping[str, str],
    notes: Sequence[str] = (),
    required: float | None = None,
) -> Audited:
    """The record of an audit.

    Args:
        report: on the one model.
        found: the records of the audit, by name.
        methods: what the suite calls the attack of each record, by the same names.
        suite, model, base, control, seed: of the audit.
        left_out: attacks of the tier that were not run, and why.
        notes: what goes before the caveats of the verdict.
        required: the multiplier asked for.
    """
    (verdict,) = report.verdicts
    own = {name: record for name, record in found.items() if record.role == model.role}
    failures = [
        Failed(model=one.model, role=one.role, attack=attack_label(one, seed=True), reason=one.failure.reason)
        for one in found.values()
        if one.failure
    ]
    word, reason = decide(verdict, role=model.role, failed=len(failures), required=required)
    threshold = float(report.terms["threshold"])
    starts = [one for one in own.values() if trains(one)]
    return Audited(
        holdfast=report.holdfast,
        suite=suite,
        domain=report.domain,
        data=report.data,
        judges=report.judges,
        seed=seed,
        model=model,
        base=base,
        control=control,
        outcome=word,
        exit_code=EXIT[word],
        reason=reason,
        required_multiplier=required,
        verdict=verdict.outcome,
        headline=verdict.headline,
        multipliers=verdict.multipliers,
        harm_before=figure(before(starts, "harm")),
        harm_worst=figure(worst(own.values())),
        utility_before=figure(before(starts, "utility")),
        breaks=_breaks(own, methods, threshold),
        attacks=len(own),
        conditions=_measured(verdict),
        controls=verdict.controls,
        failures=failures,
        left_out=[LeftOut(method=name, why=why) for name, why in left_out.items()],
        caveats=[*notes, *verdict.caveats],
        versions=_versions(own.values()),
    )


def _breaks(own: Mapping[str, Record], methods: Mapping[str, str], threshold: float) -> list[Break]:
    made = [one for name, record in own.items() if (one := _break(record, methods[name], threshold))]
    return sorted(made, key=lambda one: (one.flops, one.steps, one.attack, one.seed))


def _break(record: Record, method: str, threshold: float) -> Break | None:
    """Where an attack broke the model; None where it did not."""
    trained, most = trains(record), worst([record])
    at = crossing(record, threshold).at
    if at is None and (trained or most.value is None or most.value < threshold):
        return None
    rung = next(one for one in record.rungs if not trained or one.budget.flops == at)
    return Break(
        attack=attack_label(record),
        method=method,
        seed=record.seed,
        trains=trained,
        harm=figure(most),
        flops=rung.budget.flops,
        steps=rung.budget.steps,
        examples=rung.budget.examples,
    )


def _measured(verdict: Verdict) -> list[Condition]:
    """Conditions that an audit looks at: it teaches no harmless task, and hardens nothing."""
    return [one for one in verdict.conditions if one.name in {"resistance", "stability"}]


def _versions(records: Iterable[Record]) -> dict[str, str]:
    return next((record.versions for record in records if record.versions), {})
