"""Where a model and a record come from: names, settings and hashes."""

import functools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import holdfast
from holdfast import plugins
from holdfast.config import content_hash, to_dict
from holdfast.interfaces import Domain, Model
from holdfast.models.identity import weights_hash
from holdfast.models.save import manifest
from holdfast.records import World
from holdfast.study.categories import Categories


def describe(chosen: Any) -> dict[str, Any]:
    """A plug-in as a record holds it: its name and every setting."""
    return {"name": plugins.name_of(chosen), "settings": to_dict(chosen)}


def world(domain: Domain) -> World:
    """A domain as a record holds it."""
    whole, chosen = (domain.whole, list(domain.chosen)) if isinstance(domain, Categories) else (domain, None)
    return World(name=plugins.name_of(whole), data=whole.fingerprint(), floor=whole.floor, categories=chosen)


def parent(base: Model) -> dict[str, Any]:
    """What a descendant says of the model it comes from. To be asked before that is changed."""
    return {
        "name": base.name,
        "weights": weights_hash(base.network),
        "made_by": base.origin.get("made_by"),
    }


def told(model: Model, before: Mapping[str, Any], kind: str, chosen: Any, domain: Domain, seed: int) -> Model:
    """The model with what made it written into its origin."""
    about = world(domain)
    made_by = {
        "kind": kind,
        **describe(chosen),
        "seed": seed,
        "domain": about.name,
        "data": about.data,
        "categories": about.categories,
    }
    origin = manifest(model, made_by=made_by, parents=[before])
    return replace(model, name=f"{before['name']}+{made_by['name']}", origin=origin)


@functools.cache
def code_hash() -> str:
    """The hash of Holdfast's own source and shipped weights."""
    home = Path(holdfast.__file__).parent
    parts = sorted(path for path in home.rglob("*") if path.suffix in {".py", ".safetensors", ".json"})
    return content_hash({str(path.relative_to(home)): content_hash(path.read_bytes().hex()) for path in parts})
