"""What a model is, by its name alone: a hash of its files, and where it comes from, without loading it."""

import functools
import json
from pathlib import Path
from typing import Any

from holdfast.config import content_hash
from holdfast.errors import ModelError
from holdfast.files import MANIFEST
from holdfast.models.directory import directory_hash
from holdfast.models.naming import MARK, parts
from holdfast.records import RANDOM


def model_fingerprint(name: str) -> str:
    """The hash of a model's files: an organism's, a directory's, or the commit of a hub's repository.

    A hub is asked for its newest commit, or, where it cannot be reached, the local cache is. Random initialisation has
    that of the model whose shape it has, though no weights of that are read.

    Raises:
        ModelError: a hub's repository is neither reachable nor in the cache.
    """
    whose = parts(name)
    if whose.template:
        return content_hash([model_fingerprint(name.removesuffix(f"{MARK}{whose.template}")), whose.jinja])
    if whose.random:
        return f"{RANDOM}{model_fingerprint(whose.shape)}"
    place = whose.place
    if place.is_dir():
        return directory_hash(place)
    return name if "/" not in name else _commit(name)


def told_origin(name: str) -> dict[str, Any]:
    """What a model's `holdfast.json` says; nothing where there is none, or where it cannot be read."""
    whose = parts(name)
    if whose.random:
        return {}
    try:
        found: Any = json.loads((whose.place / MANIFEST).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@functools.cache
def _commit(name: str) -> str:
    from huggingface_hub import HfApi, try_to_load_from_cache

    try:
        return f"{name}@{HfApi().model_info(name).sha}"
    except Exception as error:
        cached = try_to_load_from_cache(name, "config.json")
        if isinstance(cached, str):
            return f"{name}@{Path(cached).parent.name}"
        raise ModelError(f"cannot tell which version of {name} there is: {error}; download it first.") from error
