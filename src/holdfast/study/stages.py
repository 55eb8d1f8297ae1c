"""Defences as somebody names them around a training: which stage each acts at, and whose settings are whose."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from holdfast import plugins
from holdfast.errors import ConfigError
from holdfast.interfaces import Domain, Metric
from holdfast.methods import Stage, stage_of
from holdfast.study.named import Settings, checked, method
from holdfast.study.provider import Provided

_USE: Final[Mapping[Stage, str]] = {
    "before": "acts before anybody fine-tunes: harden the model with it (`holdfast harden MODEL {name} -o DIR`), and "
    "train what comes out",
    "during": "acts while a model is trained: put it around the training (`holdfast guard {name} -- train.py`)",
    "after": "acts on what has come out of a training: mend that with it (`holdfast guard ... --after {name} -o DIR`, "
    "or `holdfast mend`)",
}
"""What to do with a defence of each stage."""


def given(
    defences: Any, settings: Settings | None, domain: str | Domain, categories: Sequence[str], seed: int
) -> list[Provided]:
    """One defence or several, by name (`lisa+kl` are two) or built, with the settings of each and all else they need.

    Raises:
        ConfigError: settings of several do not say whose they are, or one that is built has some.
    """
    parts = split(list(defences) if isinstance(defences, list | tuple) else [defences])
    own, theirs = addressed(settings or {}, [part for part in parts if isinstance(part, str)])
    if own:
        field = next(iter(own))
        if not theirs:
            raise ConfigError(f"{field!r} is set for a defence that is built already: build it with that.")
        if len(parts) > 1:
            raise ConfigError(f"whose field is {field!r}? Put the defence's name in front: {parts[0]}.{field}.")
        theirs[parts[0]] |= own
    return [
        part
        if isinstance(part, Provided)
        else Provided(
            defence=part,
            settings=theirs[part] if isinstance(part, str) else {},
            domain=domain,
            categories=tuple(categories),
            seed=seed,
        )
        for part in parts
    ]


def split(defences: Sequence[Any]) -> list[Any]:
    """Defences one by one, where a name may be several: `lisa+kl`."""
    return [part for one in defences for part in (one.split("+") if isinstance(one, str) else (one,))]


def addressed(settings: Settings, names: Sequence[str]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Settings with none of the names in front, and those that have one, by name and without it."""
    own, theirs = dict[str, Any](), {name: dict[str, Any]() for name in names}
    for key, value in settings.items():
        name, _, field = key.partition(".")
        if field and name in theirs:
            theirs[name][field] = value
        else:
            own[key] = value
    return own, theirs


def around(
    names: Sequence[str], settings: Settings, domain: str | Domain, seed: int
) -> tuple[dict[str, Any], list[Provided]]:
    """A provider's defences by name, of either stage, and what is left of settings that are not theirs.

    Raises:
        ConfigError: one acts before anybody fine-tunes, or a setting of it does not fit.
    """
    own, theirs = addressed(settings, split(names))
    found = [Provided(defence=name, settings=theirs[name], domain=domain, seed=seed) for name in theirs]
    for one in found:
        _ = one.built
    return own, found


def measures(names: Sequence[str], settings: Settings) -> tuple[dict[str, Any], list[Metric]]:
    """Metrics by name, with or without a preset, and what is left of settings that are not theirs.

    Raises:
        UnknownName: there is no such metric.
        ConfigError: none is named, a field of one does not fit, or it cannot be measured here.
    """
    if not names:
        raise ConfigError("no metric is named, so nothing would be measured: name some, such as harm,utility.")
    own, theirs = addressed(settings, [plugins.without_preset(name) for name in names])
    return own, checked(names, theirs)


def of_stage(wanted: Stage, defences: Sequence[Provided]) -> list[Provided]:
    """The defences, all of which act at one stage.

    Raises:
        ConfigError: one acts at another; the message says how to use it.
    """
    for one in defences:
        chosen = method("defences", one.defence, one.settings)
        if (stage := stage_of(chosen)) != wanted:
            name = plugins.name_of(chosen)
            raise ConfigError(f"{name} {_USE[stage].format(name=name)}.")
    return list(defences)


def check_hardens(defence: Any) -> None:
    """See that a defence acts before fine-tuning: one that acts later has no model to make.

    Raises:
        ConfigError: it acts later; the message says how to use it.
    """
    stage, name = stage_of(defence), plugins.name_of(defence)
    if stage != "before":
        raise ConfigError(f"{name} {_USE[stage].format(name=name)}; or attack a model under it (--provider {name}).")
