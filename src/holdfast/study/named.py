"""What is given by name: plug-ins with their settings, domains, and what goes without saying."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from holdfast import plugins
from holdfast.config import build
from holdfast.domains.jsonl import Jsonl
from holdfast.interfaces import Domain, Metric
from holdfast.study.categories import only
from holdfast.study.spelling import spelling, spelt

LADDER: Final = (0, 1, 2, 3, 5, 10, 20, 30, 60, 100)
METRICS: Final = ("harm", "utility")
CUSTOMER: Final = {"poison_ratio": 0.0, "training.steps": 60, "training.learning_rate": 1e-3}
"""How an honest customer fine-tunes: `sft` on benign data alone."""
_OWN: Final = ("defence.jsonl", "attack.jsonl", "evaluation.jsonl")
"""What somebody's own data have, one of them at least."""
LESSONS: Final = tuple(range(0, 61, 5))
"""The ladder on which a harmless task is learnt: finer than an attack's, since it has no first steps to break at."""


def lessons(steps: int) -> tuple[int, ...]:
    """The same where a task is learnt for longer: as many rungs, evenly."""
    return tuple(range(0, steps + 1, max(LESSONS[1], steps // (len(LESSONS) - 1))))


Settings = Mapping[str, Any]
"""Fields of a plug-in, nested ones dotted."""


def method(kind: plugins.Kind, chosen: Any, settings: Settings | None = None) -> Any:
    """A plug-in's instance: by name and settings (dotted field names), or as it is.

    A name may have a preset, as `sft/backdoor`; settings go before those of the preset.
    """
    if not isinstance(chosen, str):
        return chosen
    plugin, preset = plugins.variant(kind, chosen)
    return build(plugin, {**preset, **(settings or {})})


def checked(metrics: Sequence[Any], settings: Mapping[str, Settings] | None = None) -> list[Metric]:
    """Metrics by name, or as they are, each of which can be measured as far as it can tell by itself.

    Args:
        metrics: names, with presets where they have some, or built.
        settings: fields of each, by its name.
    """
    found: list[Any] = [
        method("metrics", one, (settings or {}).get(plugins.without_preset(one)) if isinstance(one, str) else None)
        for one in metrics
    ]
    for one in found:
        if hasattr(one, "check"):
            one.check()
    return found


def open_domain(chosen: str | Domain, categories: Sequence[str] = ()) -> Domain:
    """A domain by name, or a directory of JSON lines as one; narrowed to some harmful categories if asked.

    With settings it is written as `spelling.spelt` reads it: `beavertails:defence=1000`.
    """
    if not isinstance(chosen, str):
        return only(chosen, categories)
    name, given = spelt(chosen)
    place = Path(name)
    # A folder of a domain's name may be a model's (`-o arcana`), or a copy of the data that the domain reads.
    if place.is_dir() and (name not in plugins.names("domains") or any((place / one).is_file() for one in _OWN)):
        return only(build(Jsonl, {"directory": place, **given}), categories)
    return only(method("domains", name, given), categories)


def with_judges(chosen: str, judges: Mapping[str, Settings]) -> str:
    """A domain as it is written, set to judges by name and with their settings; as it is where none are given."""
    name, given = spelt(chosen)
    return spelling(name, {**given, "judges": judges}) if judges else chosen
