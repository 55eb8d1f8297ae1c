"""See that every name and setting of a study exists and fits, so that no cell fails for one hours later.

It imports the plug-ins named, but never transformers.
"""

from collections.abc import Sequence
from typing import Any

from holdfast import plugins
from holdfast.config import to_dict
from holdfast.interfaces import Domain
from holdfast.models.naming import found
from holdfast.study.categories import categories as categories_of
from holdfast.study.design import LADDER, Generalization, Search, Study
from holdfast.study.fitting import at, built, check_metric, check_name, check_pipeline, is_once
from holdfast.study.methods import Method, no_twins
from holdfast.study.mistakes import Misfit, StudyError, Where
from holdfast.study.named import method as chosen
from holdfast.study.named import open_domain
from holdfast.study.short import short


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
    with at("domain"):
        domain = open_domain(study.domain)
        splits = domain.splits()
        for split in ("attack", "evaluation", *(["defence"] if study.defences else [])):
            check_name("split", split, splits)
    for number, model in enumerate(study.models):
        with at("models", number):
            found(model)
    if study.oracle:
        with at("oracle"):
            found(study.oracle)
    _check_defences(study.defences)
    for number, metric in enumerate(study.metrics):
        check_metric(metric, splits, ("metrics", number))
    _check_measured(study)
    with at("tasks_from"):
        tasks = (open_domain(study.tasks_from) if study.tasks_from else domain).tasks()
    for number, task in enumerate(study.tasks):
        with at("tasks", number):
            check_name("task", task, tasks)
    steps = _check_attacks(study.attacks, ("attacks",))
    searched = [_check_search(study.search, study.ladder[-1])] if study.search else []
    unseen: list[int] = []
    for number, other in enumerate(study.generalization):
        unseen += _check_generalization(other, domain, ("generalization", number))
        if other.attacks is None and not steps:
            raise StudyError(("generalization", number), "no attack of the study trains: name some under attacks.")
    _check_ladder(study.ladder, [*steps, *searched, *unseen])


def _check_defences(defences: tuple[tuple[Method, ...], ...]) -> None:
    for number, pipeline in enumerate(defences):
        check_pipeline(pipeline, ("defences", number))
        for step, method in enumerate(pipeline):
            if method.name == "none":
                nothing = "none changes nothing, and every model is attacked undefended anyway: leave it out."
                raise StudyError(("defences", number, step), nothing)
    _no_built_twins("defences", defences, ("defences",))


def _check_measured(study: Study) -> None:
    """See that an attack is measured by something: what takes long is measured before any, and not under one."""
    attacks = [*study.attacks, *(attack for other in study.generalization for attack in other.attacks or ())]
    if all(map(is_once, study.metrics)) and any(attack.name != "none" for attack in attacks):
        slow = " and ".join(metric.name for metric in study.metrics)
        problem = f"{slow} is measured before any attack alone, and an attack would be measured by nothing"
        raise StudyError(("metrics",), f"{problem}: add harm, or let none be the only attack.")


def _check_attacks(attacks: tuple[Method, ...], where: Where) -> list[int]:
    """Also says how many steps each of them takes that trains."""
    found = [each for number, attack in enumerate(attacks) for each in built("attacks", attack, (*where, number))]
    _no_built_twins("attacks", attacks, where)
    return [getattr(each.training, "steps", 0) for each in found if hasattr(each, "training")]


def _check_search(search: Search, last: int) -> int:
    """Also says how many steps the longest trial takes, where the last rung of the ladder is this one."""
    method = Method(name=search.attack, set=search.set)
    [found] = built("attacks", method, ("search",), name="attack")
    if not hasattr(found, "training"):
        raise StudyError(("search", "attack"), f"{search.attack} trains nothing: there is nothing to search.")
    return search.set.get("training.steps", last)


def _check_generalization(other: Generalization, domain: Domain, where: Where) -> list[int]:
    """Also says how many steps each of its own attacks takes that trains."""
    if other.domain:
        with at(*where, "domain"):
            check_name("split", "defence", open_domain(other.domain).splits())
    else:
        with at(*where, "leave_out"):
            other.splits(categories_of(domain), domain.groups())
    return _check_attacks(other.attacks or (), (*where, "attacks"))


def _check_ladder(ladder: Sequence[int], steps: Sequence[int]) -> None:
    """See that some attack reaches every rung, unless none of them trains, or nobody asked for these rungs."""
    for number, rung in enumerate(ladder):
        if steps and rung > max(steps) and ladder != LADDER:
            problem = f"no attack trains for {rung} steps, the longest for {max(steps)}: leave the rung out, or set "
            raise StudyError(("ladder", number), f"{problem}training.steps of an attack.")


def _no_built_twins(kind: plugins.Kind, methods: tuple[Any, ...], where: Where) -> None:
    """No two that come to the same once defaults are filled in."""

    def told(method: Method) -> Any:
        return [plugins.without_preset(method.name), to_dict(chosen(kind, method.name, method.set))]

    try:
        no_twins(methods, told=told)
    except Misfit as twin:
        raise StudyError((*where, *twin.within), str(twin)) from None
