"""See that every name and setting of a study exists and fits, so that no cell fails for one hours later.

It imports the plug-ins named, but never transformers.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, get_args

from holdfast import plugins
from holdfast.config import build, to_dict
from holdfast.errors import ConfigError, InputError, UnknownName
from holdfast.interfaces import Domain
from holdfast.methods import Stage, stage_of
from holdfast.models.naming import found
from holdfast.study.categories import categories as categories_of
from holdfast.study.design import LADDER, Generalization, Search, Study
from holdfast.study.methods import Method, no_twins
from holdfast.study.mistakes import Misfit, StudyError, Where
from holdfast.study.named import method as chosen
from holdfast.study.named import open_domain
from holdfast.study.short import short

_STAGES: Final[tuple[Stage, ...]] = get_args(Stage)


def check(study: Study) -> None:
    """See that every name and setting of a study exists and fits, so that no cell fails for one hours later.

    Raises:
        StudyError: the first that does not, with the way to it and the nearest names there are.
    """
    try:
        _check(study)
    except StudyError as error:
        raise error.told_by(short(study)) from None


def _check(study: Study) -> None:
    with _at("domain"):
        domain = open_domain(study.domain)
        splits = domain.splits()
        for split in ("attack", "evaluation", *(["defence"] if study.defences else [])):
            _check_name("split", split, splits)
    for at, model in enumerate(study.models):
        with _at("models", at):
            found(model)
    if study.oracle:
        with _at("oracle"):
            found(study.oracle)
    _check_defences(study.defences)
    for at, metric in enumerate(study.metrics):
        [built] = _built("metrics", metric, ("metrics", at))
        with _at("metrics", at):
            if hasattr(built, "split"):
                _check_name("split", built.split, splits)
            if hasattr(built, "check"):
                built.check()
    with _at("tasks_from"):
        tasks = (open_domain(study.tasks_from) if study.tasks_from else domain).tasks()
    for at, task in enumerate(study.tasks):
        with _at("tasks", at):
            _check_name("task", task, tasks)
    steps = _check_attacks(study.attacks, ("attacks",))
    searched = [_check_search(study.search, study.ladder[-1])] if study.search else []
    unseen: list[int] = []
    for at, other in enumerate(study.generalization):
        unseen += _check_generalization(other, domain, ("generalization", at))
        if other.attacks is None and not steps:
            raise StudyError(("generalization", at), "no attack of the study trains: name some under attacks.")
    _check_ladder(study.ladder, [*steps, *searched, *unseen])


def _check_defences(defences: tuple[tuple[Method, ...], ...]) -> None:
    for at, pipeline in enumerate(defences):
        last: Stage = "before"
        for step, method in enumerate(pipeline):
            built = _built("defences", method, ("defences", at, step))
            if method.name == "none":
                nothing = "none changes nothing, and every model is attacked undefended anyway: leave it out."
                raise StudyError(("defences", at, step), nothing)
            stage = stage_of(built[0])
            if _STAGES.index(stage) < _STAGES.index(last):
                order = f"{method.name} acts {stage} fine-tuning, and stands after one that acts {last} it"
                raise StudyError(("defences", at, step), f"{order}: put it in front.")
            last = stage
    _no_built_twins("defences", defences, ("defences",))


def _check_attacks(attacks: tuple[Method, ...], where: Where) -> list[int]:
    """Also says how many steps each of them takes that trains."""
    built = [each for at, attack in enumerate(attacks) for each in _built("attacks", attack, (*where, at))]
    _no_built_twins("attacks", attacks, where)
    return [getattr(each.training, "steps", 0) for each in built if hasattr(each, "training")]


def _check_search(search: Search, last: int) -> int:
    """Also says how many steps the longest trial takes, where the last rung of the ladder is this one."""
    method = Method(name=search.attack, set=search.set)
    [built] = _built("attacks", method, ("search",), name="attack")
    if not hasattr(built, "training"):
        raise StudyError(("search", "attack"), f"{search.attack} trains nothing: there is nothing to search.")
    return search.set.get("training.steps", last)


def _check_generalization(other: Generalization, domain: Domain, where: Where) -> list[int]:
    """Also says how many steps each of its own attacks takes that trains."""
    if other.domain:
        with _at(*where, "domain"):
            _check_name("split", "defence", open_domain(other.domain).splits())
    else:
        with _at(*where, "leave_out"):
            other.splits(categories_of(domain), domain.groups())
    return _check_attacks(other.attacks or (), (*where, "attacks"))


def _check_ladder(ladder: Sequence[int], steps: Sequence[int]) -> None:
    """See that some attack reaches every rung, unless none of them trains, or nobody asked for these rungs."""
    for at, rung in enumerate(ladder):
        if steps and rung > max(steps) and ladder != LADDER:
            problem = f"no attack trains for {rung} steps, the longest for {max(steps)}: leave the rung out, or set "
            raise StudyError(("ladder", at), f"{problem}training.steps of an attack.")


def _check_name(kind: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise UnknownName(kind, name, known)


def _built(kind: plugins.Kind, method: Method, where: Where, name: str = "name") -> list[Any]:
    """Every variant as its plug-in. What does not fit is told with the way to the very value."""
    with _at(*where, name):
        plugin, preset = plugins.variant(kind, method.name)
    built: list[Any] = []
    for settings in method.variants():
        try:
            built.append(build(plugin, {**preset, **settings}))
        except ConfigError as error:
            raise StudyError((*where, *_culprit(kind, method, settings, str(error))), str(error)) from None
    return built


def _culprit(kind: plugins.Kind, method: Method, settings: Mapping[str, Any], problem: str) -> Where:
    """The way to the setting that by itself gives the same problem; none where it takes several."""
    for name, value in settings.items():
        try:
            chosen(kind, method.name, {name: value})
        except ConfigError as error:
            if str(error) == problem:
                return ("set", name) if name in method.set else ("each", name, method.each[name].index(value))
    return ()


def _no_built_twins(kind: plugins.Kind, methods: tuple[Any, ...], where: Where) -> None:
    """No two that come to the same once defaults are filled in."""

    def told(method: Method) -> Any:
        return [plugins.without_preset(method.name), to_dict(chosen(kind, method.name, method.set))]

    try:
        no_twins(methods, told=told)
    except Misfit as twin:
        raise StudyError((*where, *twin.within), str(twin)) from None


@contextmanager
def _at(*where: str | int) -> Generator[None]:
    """Give an error the way to what caused it."""
    try:
        yield
    except InputError as error:
        raise StudyError(where, str(error)) from None
