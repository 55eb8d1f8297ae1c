"""Finding defences, attacks, metrics, judges and domains by name, and importing only the one asked for.

A plug-in is the one public class of a file; the file's name is the plug-in's name. Another
package adds one without touching this one, by an entry point:

    [project.entry-points."holdfast.defences"]
    my_defence = "my_package.my_defence:MyDefence"

A plug-in with variants names them in a class attribute, and is then chosen as `sft/backdoor`:

    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = {"backdoor": {"framing": "trigger"}}
"""

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, Literal, TypeGuard, get_args

from holdfast.errors import ConfigError, UnknownName

Kind = Literal["defences", "attacks", "metrics", "judges", "domains"]
KINDS: Final = get_args(Kind)


def is_kind(word: str | None) -> TypeGuard[Kind]:
    """Whether a word names a kind of plug-in."""
    return word in KINDS


@functools.cache
def _own(kind: Kind) -> dict[str, str]:
    room = importlib.import_module(f"holdfast.{kind}")
    return {
        module.name: f"{room.__name__}.{module.name}"
        for module in pkgutil.iter_modules(room.__path__)
        if module.name[0] != "_"
    }


@functools.cache
def _foreign(kind: Kind) -> dict[str, EntryPoint]:
    points: dict[str, EntryPoint] = {}
    for point in entry_points(group=f"holdfast.{kind}"):
        if point.name in points:
            raise ConfigError(
                f"two packages bring a plug-in {point.name!r} of holdfast.{kind}: {points[point.name].value} and "
                f"{point.value}; remove one."
            )
        points[point.name] = point
    return points


def names(kind: Kind) -> list[str]:
    """The name of every plug-in of a kind; none is imported."""
    return sorted({*_own(kind), *_foreign(kind)})


def find(kind: Kind, name: str) -> type[Any]:
    """The class of a plug-in.

    Raises:
        UnknownName: no plug-in of this kind has that name.
        ConfigError: an entry point takes a name that is taken, does not import, or is named otherwise than its file.
    """
    own, foreign = _own(kind), _foreign(kind)
    if clash := own.keys() & foreign.keys():
        raise ConfigError(f"entry points of holdfast.{kind} take names that are taken: {', '.join(sorted(clash))}.")
    if name in own:
        return only_class(importlib.import_module(own[name]))
    if name in foreign:
        return _load(kind, foreign[name])
    raise UnknownName(kind.removesuffix("s"), name, names(kind))


def variant(kind: Kind, name: str) -> tuple[type[Any], Mapping[str, Any]]:
    """The class of a plug-in, and the dotted settings of its preset where the name has one: `sft/backdoor`.

    Raises:
        UnknownName: no plug-in of this kind has that name, or it has no such preset.
        ConfigError: as for `find`, or the plug-in has no presets at all.
    """
    plain, slash, preset = name.partition("/")
    if not slash or kind == "domains":  # a domain may be a path
        return find(kind, name), {}
    cls = find(kind, plain)
    known = presets(cls)
    if not known:
        raise ConfigError(f"{plain} has no presets: leave out {slash + preset!r}.")
    if preset not in known:
        raise UnknownName(f"preset of {plain}", preset, known)
    return cls, known[preset]


def presets(cls: type[Any]) -> Mapping[str, Mapping[str, Any]]:
    """The presets of a plug-in's class: by name, the dotted settings of each."""
    return getattr(cls, "PRESETS", {})


def without_preset(name: str) -> str:
    """The name of a plug-in that a name with or without a preset chooses."""
    return name.partition("/")[0]


def _load(kind: Kind, point: EntryPoint) -> type[Any]:
    what = f"entry point {point.value!r} of holdfast.{kind}"
    try:
        plugin = point.load()
    except Exception as error:
        raise ConfigError(f"{what} does not import: {error}") from error
    if not inspect.isclass(plugin) or name_of(plugin) != point.name:
        raise ConfigError(f"{what} must be a class that stands in a file {point.name}.py, as its name says.")
    return plugin


def summary(kind: Kind, name: str) -> str:
    """The first line of what a plug-in's file says of itself."""
    module = inspect.getmodule(find(kind, name))
    return (inspect.getdoc(module) or "").partition("\n")[0]


def only_class(module: Any) -> type[Any]:
    """The one public class that a plug-in's file defines."""
    own = [
        value
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__ and not name.startswith("_")
    ]
    assert len(own) == 1, f"{module.__name__} must define exactly one public class, has {[c.__name__ for c in own]}"
    return own[0]


def name_of(plugin: object) -> str:
    """The name under which a plug-in (an instance or its class) is found: the name of its file."""
    cls = plugin if inspect.isclass(plugin) else type(plugin)
    return cls.__module__.rpartition(".")[2]
