"""Two reports side by side: what is said of the same models in both, and what of one alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from holdfast.report.schema import Report, Verdict
from holdfast.report.text import shown
from holdfast.report.wording import GAP, UNIT_NAMES, bounds, figure

_NAME: Final = 120
_SENTENCE: Final = 300


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing that both reports tell of a model."""

    what: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        """Whether they tell it otherwise."""
        return self.before != self.after


@dataclass(frozen=True, kw_only=True)
class Both:
    """One model in both reports."""

    model: str
    lines: list[Line]


@dataclass(frozen=True, kw_only=True)
class Diff:
    """What changed from one report to another."""

    unlike: list[str]
    """Why figures cannot be held against each other, where they cannot."""
    gone: list[str]
    """Models of the first report alone."""
    new: list[str]
    """Models of the second alone."""
    both: list[Both]


def compared(first: Report, second: Report) -> Diff:
    """Compare two reports, model by model: by their names, and where a name stands twice by their order."""
    before, after = (_by_name(report.verdicts) for report in (first, second))
    return Diff(
        unlike=[
            f"{what}: {old} before, {new} now"
            for what, old, new in (
                ("domain", first.domain, second.domain),
                ("data", first.data[:12], second.data[:12]),
                ("judges", ", ".join(first.judges) or "own", ", ".join(second.judges) or "own"),
                *((name, first.terms.get(name), value) for name, value in second.terms.items()),
            )
            if old != new
        ],
        gone=[name for name in before if name not in after],
        new=[name for name in after if name not in before],
        both=[Both(model=name, lines=list(_lines(before[name], after[name]))) for name in before if name in after],
    )


def text(found: Diff) -> list[str]:
    """What a terminal shows: what changed, and how much did not."""
    told = [f"Not the same measure, so differences may be its own: {shown(one, _SENTENCE)}" for one in found.unlike]
    told += [f"only in the first: {shown(name, _NAME)}" for name in found.gone]
    told += [f"only in the second: {shown(name, _NAME)}" for name in found.new]
    for one in found.both:
        changed = [line for line in one.lines if line.changed]
        alike = len(one.lines) - len(changed)
        told.append(f"{shown(one.model, _NAME)}: {f'{len(changed)} changed, ' if changed else ''}{alike} alike")
        told += [
            f"  {line.what}: {shown(line.before, _SENTENCE)} -> {shown(line.after, _SENTENCE)}" for line in changed
        ]
    return told or ["Neither report has a model."]


def _by_name(verdicts: Sequence[Verdict]) -> dict[str, Verdict]:
    found: dict[str, Verdict] = {}
    for one in verdicts:
        name, number = one.name or one.model, 2
        while name in found:
            name, number = f"{one.name or one.model} ({number})", number + 1
        found[name] = one
    return found


def _lines(first: Verdict, second: Verdict) -> Iterator[Line]:
    yield Line(what="outcome", before=first.outcome, after=second.outcome)
    for what, old, new in (
        ("condition", first.conditions, second.conditions),
        ("control", first.controls, second.controls),
    ):
        told = {one.name: one.status for one in new}
        for one in old:
            yield Line(what=f"{one.name} {what}", before=one.status, after=told.get(one.name, GAP))
    costs = {one.unit: bounds(one) for one in second.multipliers}
    for one in first.multipliers:
        yield Line(what=f"multiplier, {UNIT_NAMES[one.unit]}", before=bounds(one), after=costs.get(one.unit, GAP))
    if first.able or second.able:
        before, after = (figure(one.able.defended) if one.able else GAP for one in (first, second))
        yield Line(what="ability before any attack", before=before, after=after)
