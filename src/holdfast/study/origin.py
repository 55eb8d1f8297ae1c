"""Where a model and a record come from: names, settings and hashes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from holdfast import plugins, processes
from holdfast.config import to_dict
from holdfast.interfaces import Domain, Model
from holdfast.judges._panel import deciding, panel
from holdfast.records import World
from holdfast.study.categories import Categories
from holdfast.study.code import code_hash

_RUNNING: Final = ("holdfast.study.experiment", "holdfast.study.lesson")
"""What runs every cell."""


def describe(chosen: Any) -> dict[str, Any]:
    """A plug-in as a record holds it: its name and every setting."""
    return {"name": plugins.name_of(chosen), "settings": to_dict(chosen)}


def world(domain: Domain) -> World:
    """A domain as a record holds it."""
    whole, chosen = (domain.whole, list(domain.chosen)) if isinstance(domain, Categories) else (domain, None)
    return World(
        name=plugins.name_of(whole),
        data=whole.fingerprint(),
        floor=whole.floor,
        categories=chosen,
        judges={name: deciding(judge) for name, judge in panel(whole).items()} if whole.judges else {},
    )


def parent(base: Model) -> dict[str, Any]:
    """What a descendant says of the model it comes from, and that of its own. To be asked before it is changed."""
    from holdfast.models.identity import weights_hash

    return {
        "name": base.name,
        "weights": weights_hash(base.network),
        "made_by": base.origin.get("made_by"),
        "parents": base.origin.get("parents") or [],
    }


def lineage(
    model: Mapping[str, Any], provided: Sequence[dict[str, Any]] = ()
) -> tuple[dict[str, Any] | None, str | None]:
    """What defends a model, and the hash of the weights that the first of its defences was applied to.

    Args:
        model: what `parent` says of it.
        provided: what made_by says of the defences that act when it is fine-tuned.
    """
    stages: list[dict[str, Any]] = []
    start: Mapping[str, Any] | None = model
    while start and (made_by := start.get("made_by")) and made_by.get("kind") == "defence":
        stages.insert(0, dict(made_by))
        start = next(iter(start.get("parents") or []), None)
    stages += provided
    if not stages:
        return None, None
    return pipeline(stages), start.get("weights") if start else None


def pipeline(stages: list[dict[str, Any]]) -> dict[str, Any]:
    """Defences applied one after another, told as one: names joined, settings by name."""
    if len(stages) == 1:
        return stages[0]
    numbered = {f"{number} {stage['name']}": stage["settings"] for number, stage in enumerate(stages, start=1)}
    return {**stages[-1], "name": "+".join(stage["name"] for stage in stages), "settings": numbered, "stages": stages}


def told(model: Model, before: Mapping[str, Any], kind: str, chosen: Any, domain: Domain, seed: int) -> Model:
    """The model with what made it written into its origin; of several processes, in the main one."""
    from holdfast.models.save import manifest

    if not processes.main():  # its weights may not be here
        return model
    made = made_by(kind, chosen, domain, seed)
    origin = manifest(model, made_by=made, parents=[before])
    return replace(model, name=f"{before['name']}+{made['name']}", origin=origin)


def made_by(kind: str, chosen: Any, domain: Domain, seed: int) -> dict[str, Any]:
    """What a model says of the method that made it."""
    about = world(domain)
    return {
        "kind": kind,
        **describe(chosen),
        "seed": seed,
        "domain": about.name,
        "data": about.data,
        "categories": about.categories,
    }


def code(*parts: Any) -> str:
    """The hash of the code of some plug-ins, domains with their judges among them, and of all that runs them."""
    judges = [judge for part in parts if getattr(part, "judges", None) for judge in panel(part).values()]
    return code_hash([*_RUNNING, *(type(part).__module__ for part in (*parts, *judges))])
