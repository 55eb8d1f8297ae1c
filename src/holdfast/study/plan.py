"""From a study to its cells: those known from the start, and those asked for in the light of what came out."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from holdfast.methods import stage_of
from holdfast.plugins import variant, without_preset
from holdfast.records import RANDOM, Record, Role
from holdfast.statistics.multiplier import edge
from holdfast.study.categories import categories
from holdfast.study.cells import Cell, Stop
from holdfast.study.check import check
from holdfast.study.design import Study
from holdfast.study.fitting import is_once
from holdfast.study.methods import Method, pipelines, spread
from holdfast.study.named import LESSONS, method, open_domain
from holdfast.study.provider import Provided
from holdfast.study.run import Rounds

_LESSON: Final = {"training.steps": LESSONS[-1]}
_CONTROLS: Final[tuple[Role, ...]] = ("oracle", "random")
"""They stand beside what is compared: nothing is learnt by them, searched against them, or tuned to them."""
_FACTOR: Final = 3
"""By how much a range of learning rates is widened at a time: half a decade, about."""


@dataclass(frozen=True)
class Subject:
    """A model that is attacked, and what it stands for."""

    role: Role
    model: str | Cell
    provider: tuple[Provided, ...] = ()
    """Defences that act when it is fine-tuned."""


def static(study: Study) -> list[Cell]:
    """Every cell that is known from the start, without those that make the models."""
    return list({cell.key: cell for name in study.models for cell in _about(study, name)}.values())


def rounds(study: Study) -> Rounds:
    """The cells of a study, round by round: what is known, wider ranges of learning rates, then the adversary's search.

    Raises:
        StudyError: a name or setting of the study does not exist or fit.
    """
    check(study)
    return rounds_of(study, static(study))


def rounds_of(study: Study, cells: Sequence[Cell]) -> Rounds:
    """The rounds of a study that starts with these cells: its own, or more."""
    records = yield cells
    for name in study.models:
        subjects = _subjects(study, name)
        battery = [cell for cell in cells if Subject(cell.role, cell.model, cell.provider) in subjects]
        for _ in range(study.widen):
            wider = widened(battery, records, study.threshold)
            if not wider:
                break
            more = [cell for one in subjects for settings in wider for cell in _attacks(study, one, "sft", settings)]
            battery += more
            records = yield more
    if study.search:
        yield from _searched(study)


def _about(study: Study, name: str) -> Iterator[Cell]:
    """All that is known from the start about one undefended model."""
    battery = spread(study.attacks)
    subjects = _subjects(study, name)
    for subject in subjects:
        for attack in battery:
            yield from _attacks(study, subject, attack.name, attack.set)
        if subject.role not in _CONTROLS and any(map(is_once, study.metrics)):
            yield _cell(study, subject, "none", {}, keeps=study.keep == "all")
    for subject in subjects:
        if subject.role not in _CONTROLS:
            for task in study.tasks:
                taught = study.tasks_from or study.domain
                yield _cell(study, subject, task, _LESSON, verb="learn", ladder=LESSONS, domain=taught)
    domain = open_domain(study.domain)
    known = categories(domain)
    for general in study.generalization:
        unseen = spread(general.attacks) if general.attacks else [one for one in battery if trains(one)]
        for shown, left_out in general.splits(known, domain.groups()):
            defended = _hardened(study, name, domain=general.domain or study.domain, categories=shown)
            for subject in (Subject("undefended", name), *defended):
                for attack in unseen:
                    # Across domains the undefended model is attacked as in the battery, and not once more.
                    if not (general.domain and subject.role == "undefended" and _is_among(battery, attack)):
                        yield from _attacks(
                            study, subject, attack.name, attack.set, purpose="generalization", categories=left_out
                        )


def _subjects(study: Study, name: str) -> list[Subject]:
    oracle = [Subject("oracle", study.oracle)] if study.oracle else []
    random = [Subject("random", f"{RANDOM}{name}")] if study.random else []
    return [*_hardened(study, name), Subject("undefended", name), *oracle, *random]


def _hardened(study: Study, name: str, **changes: Any) -> list[Subject]:
    """One model of each pipeline of defences for each defence seed."""
    found: list[Subject] = []
    for defence in study.defences:
        for pipeline in pipelines(defence):
            for seed in study.seeds.defence:
                model: str | Cell = name
                provider: list[Provided] = []
                given: dict[str, Any] = {"domain": study.domain, **changes, "seed": seed}
                for step in pipeline:
                    if stage_of(method("defences", step.name, step.set)) == "before":
                        model = Cell(verb="harden", model=model, method=step.name, settings=step.set, **given)
                    else:
                        provider.append(Provided(defence=step.name, settings=step.set, **given))
                found.append(Subject("defended", model, tuple(provider)))
    return found


def _attacks(study: Study, subject: Subject, attack: str, settings: Mapping[str, Any], **changes: Any) -> list[Cell]:
    """One attack on one model, with every attack seed."""
    return [
        _cell(study, subject, attack, settings, seed=seed, keeps=study.keep == "all", **changes)
        for seed in study.seeds.attack
    ]


def _cell(study: Study, subject: Subject, method: str, settings: Mapping[str, Any], **changes: Any) -> Cell:
    usual: dict[str, Any] = {
        "verb": "attack",
        "domain": study.domain,
        "ladder": study.ladder,
        "seed": study.seeds.attack[0],
        "metrics": tuple((one.name, one.set) for one in study.metrics if method == "none" or not is_once(one)),
    }
    told: dict[str, Any] = {**usual, **changes}
    return Cell(
        model=subject.model,
        role=subject.role,
        provider=subject.provider,
        method=method,
        settings=settings,
        **told,
    )


def trains(attack: Method) -> bool:
    """Whether an attack trains; one that does not costs nothing."""
    return hasattr(_built(attack), "training")


def _is_among(battery: Sequence[Method], attack: Method) -> bool:
    return any(_built(one) == _built(attack) for one in battery)


def _built(attack: Method) -> Any:
    return method("attacks", attack.name, attack.set)


def widened(battery: Sequence[Cell], records: Mapping[str, Record], threshold: float) -> list[dict[str, Any]]:
    """Settings of `sft` beyond the edge of the learning rates tried, where a model's cheapest break lies on it.

    A preset of `sft` is widened as what it is: its own settings are among those given. Controls are not asked:
    their breaks, if they have any, are a failed control.
    """
    tuned = [
        cell
        for cell in battery
        if (cell.verb, without_preset(cell.method), cell.purpose) == ("attack", "sft", "resistance")
        and cell.role not in _CONTROLS
        and cell.key in records
    ]
    by_model: dict[str, list[Cell]] = {}
    for cell in tuned:
        by_model.setdefault(cell.subject, []).append(cell)
    wider: list[dict[str, Any]] = []
    for cells in by_model.values():
        found = edge([records[cell.key] for cell in cells], threshold)
        if found:
            widest = next(cell for cell in cells if records[cell.key] is found[0])
            settings = {**variant("attacks", widest.method)[1], **widest.settings}
            rate = found[0].attack["settings"]["training"]["learning_rate"] * (
                _FACTOR if found[1] == "highest" else 1 / _FACTOR
            )
            wider.append({**settings, "training.learning_rate": rate})
    tried = [cell.built for cell in tuned]
    new = [method("attacks", "sft", settings) for settings in wider]
    return [settings for number, settings in enumerate(wider) if new[number] not in [*tried, *new[:number]]]


def _searched(study: Study) -> Rounds:
    """Search against every model at once, a trial each a round; then try the best of each on all in full."""
    from holdfast.study.search import search

    assert study.search
    told = study.search
    subjects = [one for name in study.models for one in _subjects(study, name)]
    steps = study.ladder[-1]

    def trial(subject: Subject) -> Any:
        def make(settings: Mapping[str, Any], stop: Stop) -> Cell:
            # Only harm is looked at, and what comes before the first step is the same in every trial.
            asked: dict[str, Any] = {"metrics": (("harm", {}),), "ladder": study.ladder[study.ladder[0] == 0 :]}
            cell = _cell(study, subject, told.attack, settings, purpose="search", stop=stop, **asked)
            _ = cell.built  # settings that do not fit are told now
            return cell

        return search(
            make,
            trials=told.trials,
            steps=steps,
            threshold=study.threshold,
            seed=study.seeds.attack[0],
            fixed=told.set,
        )

    best = yield from _together([trial(subject) for subject in subjects if subject.role not in _CONTROLS])
    found = [settings for number, settings in enumerate(best) if settings and settings not in best[:number]]
    yield [cell for one in subjects for settings in found for cell in _attacks(study, one, told.attack, settings)]


def _together(
    searches: Iterable[Generator[Cell, Record, dict[str, Any] | None]],
) -> Generator[Sequence[Cell], Mapping[str, Record], list[dict[str, Any] | None]]:
    """Run several searches side by side: one trial of each a round. Returns what each found."""
    running = dict(enumerate(searches))
    best: list[dict[str, Any] | None] = [None] * len(running)
    asked = {number: next(one) for number, one in running.items()}
    while asked:
        records = yield list(asked.values())
        for number, cell in list(asked.items()):
            try:
                asked[number] = running[number].send(records[cell.key])
            except StopIteration as ended:
                best[number] = ended.value
                del asked[number]
    return best
