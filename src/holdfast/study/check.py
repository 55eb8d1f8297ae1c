"""See that every name and setting of a study exists and fits, so that no cell fails for one hours later.

It imports the plug-ins named, but never transformers.
"""

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from holdfast import plugins
from holdfast.config import build, to_dict
from holdfast.errors import ConfigError, InputError, ModelError, UnknownName
from holdfast.interfaces import Domain
from holdfast.models.organisms import ORGANISMS
from holdfast.study.categories import categories as categories_of
from holdfast.study.design import Generalization, Method, Misfit, Study, StudyError, Where, no_twins
from holdfast.study.named import open_domain

TINY: Final = tuple(f"tiny-{family}" for family in "llama qwen2 mistral gemma gpt2 gpt-neox mixtral".split())
"""The names of `models.tiny`, which itself imports transformers."""


def check(study: Study) -> None:
    """See that every name and setting of a study exists and fits, so that no cell fails for one hours later.

    Raises:
        StudyError: the first that does not, with the way to it and the nearest names there are.
    """
    with _at("domain"):
        domain = open_domain(study.domain)
        tasks, splits = domain.tasks(), domain.splits()
    for at, model in enumerate(study.models):
        with _at("models", at):
            _check_model(model)
    if study.oracle:
        with _at("oracle"):
            _check_model(study.oracle)
    for at, pipeline in enumerate(study.defences):
        for step, method in enumerate(pipeline):
            _built("defences", method, ("defences", at, step))
    _no_built_twins("defences", study.defences, ("defences",))
    training = [attack for at, attack in enumerate(study.attacks) if _trains(attack, ("attacks", at))]
    _no_built_twins("attacks", study.attacks, ("attacks",))
    for at, metric in enumerate(study.metrics):
        [built] = _built("metrics", metric, ("metrics", at))
        with _at("metrics", at):
            if hasattr(built, "split"):
                _check_name("split", built.split, splits)
    for at, task in enumerate(study.tasks):
        with _at("tasks", at):
            _check_name("task", task, tasks)
    if study.search:
        searched = Method(name=study.search.attack, set=study.search.set)
        [built] = _built("attacks", searched, ("search",), name="attack")
        if not hasattr(built, "training"):
            raise StudyError(("search", "attack"), f"{searched.name} trains nothing: there is nothing to search.")
    for at, other in enumerate(study.generalization):
        _check_generalization(other, domain, training, ("generalization", at))


def _check_generalization(other: Generalization, domain: Domain, training: Sequence[Method], where: Where) -> None:
    if other.domain:
        with _at(*where, "domain"):
            open_domain(other.domain)
    else:
        with _at(*where, "leave_out"):
            other.splits(categories_of(domain))
    for at, attack in enumerate(other.attacks or ()):
        _built("attacks", attack, (*where, "attacks", at))
    _no_built_twins("attacks", other.attacks or (), (*where, "attacks"))
    if other.attacks is None and not training:
        raise StudyError(where, "no attack of the study trains: name some under attacks.")


def _check_model(name: str) -> None:
    """As `models.load` would look for it, though without opening it."""
    if name in ORGANISMS or name in TINY:
        return
    if Path(name).is_dir():
        if not (Path(name) / "config.json").is_file():
            raise ModelError(f"{name} has no config.json: it is not a model directory of transformers.")
    elif not re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", name):
        raise UnknownName("model", name, [*ORGANISMS, *TINY, "a directory", "a hub id (owner/name)"])


def _check_name(kind: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise UnknownName(kind, name, known)


def _trains(attack: Method, where: Where) -> bool:
    return any(hasattr(variant, "training") for variant in _built("attacks", attack, where))


def _built(kind: plugins.Kind, method: Method, where: Where, name: str = "name") -> list[Any]:
    """Every variant as its plug-in. What does not fit is told with the way to the very value."""
    with _at(*where, name):
        plugin = plugins.find(kind, method.name)
    built: list[Any] = []
    for settings in method.variants():
        try:
            built.append(build(plugin, settings))
        except ConfigError as error:
            raise StudyError((*where, *_culprit(plugin, method, settings, str(error))), str(error)) from None
    return built


def _culprit(plugin: type[Any], method: Method, settings: Mapping[str, Any], problem: str) -> Where:
    """The way to the setting that by itself gives the same problem; none where it takes several."""
    for name, value in settings.items():
        try:
            build(plugin, {name: value})
        except ConfigError as error:
            if str(error) == problem:
                return ("set", name) if name in method.set else ("each", name, method.each[name].index(value))
    return ()


def _no_built_twins(kind: plugins.Kind, methods: tuple[Any, ...], where: Where) -> None:
    """No two that come to the same once defaults are filled in."""

    def told(method: Method) -> Any:
        return [method.name, to_dict(build(plugins.find(kind, method.name), method.set))]

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
