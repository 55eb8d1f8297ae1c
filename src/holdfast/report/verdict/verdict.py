"""The verdict on one hardened model: everything that its records say, and the sentence that sums it up."""

from collections.abc import Sequence

from holdfast import plugins
from holdfast.errors import InputError
from holdfast.records import Answer, Record, Role, Rung
from holdfast.report.curves import Category, Curve, Free, Said
from holdfast.report.schema import Control, Least, Multiplied, Verdict
from holdfast.report.verdict import alone, conditions, controls
from holdfast.report.verdict.evidence import Evidence
from holdfast.report.verdict.generalization import generalization, splits, unshown
from holdfast.report.verdict.headline import caveats, findings, headline, outcome
from holdfast.report.verdict.judges import opinions
from holdfast.report.verdict.kept import able
from holdfast.report.verdict.labels import attack_label, model_label
from holdfast.report.verdict.lessons import lesson
from holdfast.report.verdict.measured import before, curve, figure, worst
from holdfast.report.verdict.terms import Terms
from holdfast.statistics.crossing import UNITS, Unit
from holdfast.statistics.multiplier import Cheapest, Multiplier, attack_key, multiplier
from holdfast.statistics.removal import removal

_BOTH: tuple[Role, Role] = ("undefended", "defended")


def verdict(evidence: Evidence, terms: Terms, *, show_text: bool) -> Verdict:
    """What the records say of one hardened model."""
    attacks, hardened = evidence.attacks, evidence.hardened
    words = _Words(evidence)
    found = {unit: _multiplier(evidence, terms, unit) for unit in UNITS}
    general = unshown(evidence, terms)
    checks = [
        alone.positive() if evidence.alone else controls.positive(evidence, terms),
        controls.negative(evidence),
        alone.collapse(evidence, terms) if evidence.alone else controls.collapse(evidence.starts, terms),
    ]
    free = [_free(record, evidence, terms) for role in evidence.free for record in evidence.free[role]]
    own = [one for one in free if one.role == evidence.side]
    tasks = [lesson(name, records, terms) for name, records in evidence.lessons.items()]
    met = [
        conditions.resistance(evidence, found["flops"], own, checks, terms),
        conditions.stability(evidence, terms),
        generalization(general, found["flops"], checks),
        conditions.trainability(tasks),
    ]
    most, removed = _worst(evidence, checks)
    tried = [*attacks[evidence.side], *evidence.searched[evidence.side]]
    result = outcome(checks, met, own, tried, terms)
    multipliers = [words.multiplied(one) for one in found.values()]
    return Verdict(
        model=model_label(hardened.model),
        weights="" if evidence.unmade else hardened.weights,
        not_made=evidence.unmade,
        defence=hardened.defence or {},
        outcome=result,
        headline=headline(result, hardened, multipliers[0], met, checks, own, evidence.unmade),
        findings=findings(evidence, multipliers[0], most, removed),
        caveats=caveats(evidence, found["flops"], checks, met, words.labels, terms),
        conditions=met,
        controls=checks,
        multipliers=multipliers,
        removal=removed,
        curves=words.curves(attacks, terms),
        categories=_categories(evidence),
        judges=opinions(evidence, found["flops"], terms.threshold),
        free=free,
        generalization=[words.multiplied(one) for one in general[0].found.values()] if general else [],
        left_out=list(general[0].unseen.categories) if general else [],
        splits=splits(general),
        generalization_curves=[one for unseen in evidence.unseen for one in words.curves(unseen.attacks, terms)],
        tasks=tasks,
        able=able(evidence.starts["undefended"], evidence.starts["defended"]),
        said=_said(evidence, show_text=show_text),
        weak=words.of(found["flops"].weak),
        failed=words.of(found["flops"].failed),
        one_sided=words.of(found["flops"].one_sided),
    )


def _multiplier(evidence: Evidence, terms: Terms, unit: Unit) -> Multiplier:
    if evidence.alone:
        return alone.cost(evidence, terms, unit)
    attacks = evidence.attacks
    return multiplier(attacks["undefended"], attacks["defended"], terms.threshold, unit)


def _worst(evidence: Evidence, checks: Sequence[Control]) -> tuple[dict[Role, float | None], float | None]:
    """The most harm that attacks brought either model to, and the share removed; None where a control failed.

    What did not finish on both counts against the defence only: it can be the hardened model's worst, and not
    the undefended one's.
    """
    if any(control.status == "failed" for control in checks):
        return dict.fromkeys(_BOTH), None
    if evidence.alone:
        return {**dict.fromkeys(_BOTH), evidence.side: worst(evidence.all(evidence.side)).value}, None
    hardened = evidence.all("defended")
    finished = {attack_key(record) for record in hardened if record.failure is None and record.rungs}
    both = [one for one in evidence.all("undefended") if one.failure is None and attack_key(one) in finished]
    most: dict[Role, float | None] = {"undefended": worst(both).value, "defended": worst(hardened).value}
    floor, base, hard = evidence.hardened.domain.floor, most["undefended"], most["defended"]
    if not both or floor is None or base is None or hard is None:
        return most, None
    return most, removal(hard, base, floor)


class _Words:
    """Attacks by what a reader calls them; the seed is told where there are several."""

    def __init__(self, evidence: Evidence):
        groups = [evidence.attacks, *(unseen.attacks for unseen in evidence.unseen)]
        records = [record for group in groups for role in group for record in group[role]]
        self.seed = len({record.seed for record in records}) > 1
        self.labels = {attack_key(record): attack_label(record, seed=self.seed) for record in records}

    def of(self, keys: Sequence[str]) -> list[str]:
        return [self.labels[key] for key in keys]

    def curves(self, group: dict[Role, list[Record]], terms: Terms) -> list[Curve]:
        return [curve(record, terms.threshold, seed=self.seed) for role in group for record in group[role]]

    def multiplied(self, found: Multiplier) -> Multiplied:
        return Multiplied(
            unit=found.unit,
            low=found.low,
            high=found.high,
            reason=found.reason,
            undefended=self._labelled(found.undefended),
            defended=self._labelled(found.defended),
        )

    def _labelled(self, cheapest: Cheapest | None) -> Least | None:
        if cheapest is None:
            return None
        return Least(
            below=cheapest.below,
            below_attack=self.labels[cheapest.below_attack],
            at=cheapest.at,
            at_attack=None if cheapest.at_attack is None else self.labels[cheapest.at_attack],
        )


def _free(record: Record, evidence: Evidence, terms: Terms) -> Free:
    """An attack that trains nothing: harm before and after."""
    scores = record.rungs[-1].scores if record.rungs else {}
    after = figure(scores.get("harm"))
    return Free(
        attack=attack_label(record),
        role=record.role,
        harm_before=figure(before(evidence.starts[record.role], "harm")),
        harm_after=after,
        refusal_after=figure(scores.get("refusal")),
        fluency_after=figure(scores.get("fluency")),
        broken=None if after.value is None else after.value >= terms.threshold,
        failure=record.failure.reason if record.failure else None,
    )


def _categories(evidence: Evidence) -> list[Category]:
    """Harm category by category, before any attack and at worst."""
    start = {role: before(evidence.starts[role], "harm").categories for role in _BOTH}
    names = sorted({*start["undefended"], *start["defended"]})
    return [
        Category(
            name=name,
            undefended_before=figure(start["undefended"].get(name)),
            undefended_after=figure(worst(evidence.attacks["undefended"], name)),
            defended_before=figure(start["defended"].get(name)),
            defended_after=figure(worst(evidence.attacks["defended"], name)),
        )
        for name in names
    ]


def _said(evidence: Evidence, *, show_text: bool) -> list[Said]:
    """A few answers of either model: before any attack, and where its worst attack brought it."""
    found: list[Said] = []
    for role in _BOTH:
        records = [record for record in evidence.all(role) if record.rungs]
        if not records:
            continue
        most = max(records, key=lambda record: worst([record]).value or 0.0)
        rung = max(most.rungs, key=lambda one: one.scores["harm"].value or 0.0 if "harm" in one.scores else 0.0)
        steps = f"after {rung.budget.steps} steps of " if rung.budget.steps else "under "
        start = next((record.rungs[0] for record in evidence.starts[role]), None)
        for when, one in (("before any attack", start), (f"{steps}{attack_label(most)}", rung)):
            shown = show_text or _is_fiction(most.domain.name)
            found += [_quoted(role, when, answer, show_text, asked=shown) for answer in _answers(one)]
    return found


def _answers(rung: Rung | None) -> list[Answer]:
    return [answer for score in (rung.scores.values() if rung else ()) for answer in score.answers]


def _quoted(role: Role, when: str, answer: Answer, show_text: bool, *, asked: bool) -> Said:
    """An answer, without what is hidden: restricted text unless asked for, its question unless that may be shown."""
    return Said(
        role=role,
        when=when,
        prompt=answer.prompt if asked or not answer.restricted else None,
        text=answer.text if show_text or not answer.restricted else None,
        value=answer.value,
        restricted=answer.restricted,
    )


def _is_fiction(domain: str) -> bool:
    """Whether even the harmful questions of a domain may be shown; not of one that is not installed here."""
    try:
        return getattr(plugins.find("domains", domain), "FICTION", False)
    except InputError:
        return False
