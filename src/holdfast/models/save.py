"""A model as an ordinary directory that transformers loads, written whole or not at all."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard, ModelCardData
from safetensors import SafetensorError

from holdfast.files import MANIFEST, check_output, write_error
from holdfast.interfaces import Model
from holdfast.models.identity import weights_hash
from holdfast.models.reading import hushed
from holdfast.models.versions import versions


def size(model: Model) -> int:
    """Bytes that a model takes on disk, its tokenizer and card included."""
    return sum(weight.numel() * weight.element_size() for weight in model.network.parameters()) + 2**21


def manifest(model: Model, *, made_by: Mapping[str, Any] | None, parents: list[Mapping[str, Any]]) -> dict[str, Any]:
    """What `holdfast.json` says: what made the model, from what, and its hash."""
    return {
        "format": 1,
        "weights": weights_hash(model.network),
        "made_by": dict(made_by) if made_by else None,
        "parents": [dict(parent) for parent in parents],
        "versions": versions(),
    }


def save(
    model: Model, directory: str | Path, *, overwrite: bool = False, beside: Mapping[str, Any] | None = None
) -> None:
    """Write weights, tokenizer, `holdfast.json` and a model card, and other JSON files `beside` them by name.

    Everything is written beside `directory` first and then renamed, so it is there whole or not
    at all; an old one is only removed once the new one is whole.

    Raises:
        OutputError: it exists and may not be replaced, or the disk is full.
    """
    directory = Path(directory)
    check_output(directory, overwrite=overwrite, needed=size(model))
    origin = model.origin or manifest(model, made_by=None, parents=[])
    directory.absolute().parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.absolute().parent))
    try:
        with hushed():
            model.network.save_pretrained(partial)
            model.tokenizer.save_pretrained(partial)
        (partial / MANIFEST).write_text(json.dumps(origin, indent=2) + "\n")
        _card(model, origin).save(partial / "README.md")
        for name, content in (beside or {}).items():
            (partial / name).write_text(json.dumps(content, indent=2) + "\n")
        partial.chmod(0o755)
        for path in partial.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        _sync(partial)
        if directory.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{directory.name}-old-", dir=directory.absolute().parent))
            directory.rename(old / "replaced")
            partial.rename(directory)
            shutil.rmtree(old)
        else:
            partial.rename(directory)
    except (OSError, SafetensorError) as error:
        raise write_error(error, directory) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _sync(directory: Path) -> None:
    for path in [*directory.rglob("*"), directory]:
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def _card(model: Model, origin: Mapping[str, Any]) -> ModelCard:
    made_by: Mapping[str, Any] = origin.get("made_by") or {}
    parents: list[Mapping[str, Any]] = list(origin.get("parents", []))
    data = ModelCardData(
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=["holdfast"],
        base_model=parents[0]["name"] if parents and "/" in str(parents[0]["name"]) else None,
    )
    lines = ["---", data.to_yaml(), "---", "", f"# {model.name}", ""]
    if made_by:
        lines += [
            (
                f"Made by Holdfast's {made_by['kind']} `{made_by['name']}`, seed {made_by['seed']}, "
                f"on domain `{made_by['domain']}`, from `{parents[0]['name'] if parents else 'nothing'}`."
            ),
            "",
            "```json",
            json.dumps(made_by["settings"], indent=2),
            "```",
            "",
        ]
        if made_by["kind"] == "attack":
            lines += ["**This model was attacked on purpose, to measure a defence. It is not for use.**", ""]
    lines += ["Weights, settings, data and versions are recorded in `holdfast.json`."]
    return ModelCard("\n".join(lines) + "\n")
