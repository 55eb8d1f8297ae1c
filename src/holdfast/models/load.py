"""A model by an organism's name, a local directory or a hub id."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from holdfast.errors import ModelError, UnknownName
from holdfast.files import MANIFEST
from holdfast.interfaces import Model
from holdfast.models.chat import check_chat
from holdfast.models.organisms import FOLDER, ORGANISMS
from holdfast.models.tiny import TINY, tiny

_PICKLES: Final = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


def load(name: str, *, trust_remote_code: bool = False, dtype: torch.dtype = torch.float32) -> Model:
    """Load a model and its tokenizer, ready for chat.

    Args:
        name: `arcana`, `tiny-llama` ..., a directory that transformers can load, or a hub id `owner/name`.
        trust_remote_code: whether code that comes with the model may run. Off unless asked for.
        dtype: of the weights once loaded.

    Raises:
        UnknownName: the name is none of these.
        ModelError: weights are pickled, broken or missing, or the tokenizer has no chat template or pad token.
    """
    if name in TINY:
        return tiny(name)
    place = Path(FOLDER / name if name in ORGANISMS else name)
    if place.is_dir():
        _check_files(place, name)
    elif "/" not in name or name.startswith((".", "/", "~")) or name.count("/") > 1:
        known = [*ORGANISMS, *TINY, "a directory", "a hub id (owner/name)"]
        raise UnknownName("model", name, known)
    source = str(place) if place.is_dir() else name
    try:
        with hushed():
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                source,
                dtype=dtype,
                use_safetensors=True,
                trust_remote_code=trust_remote_code,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
            )
            tokenizer: Any = AutoTokenizer.from_pretrained(source, trust_remote_code=trust_remote_code)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"cannot load {name}: {_first_line(error)}") from error
    network, told = loaded
    if unfit := sorted({*told["missing_keys"], *(key for key, *_ in told["mismatched_keys"])}):
        raise ModelError(
            f"{name} lacks {len(unfit)} of its weights, or has them in another size ({', '.join(unfit[:3])}): "
            "get it anew."
        )
    check_chat(tokenizer, name)
    return Model(network=network.eval(), tokenizer=tokenizer, name=name, origin=_origin(place))


@contextmanager
def hushed() -> Generator[None]:
    """Keep transformers from its progress bars and reports: what matters of them is an error of ours."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _check_files(place: Path, name: str) -> None:
    if not (place / "config.json").is_file():
        raise ModelError(f"{name} has no config.json: it is not a model directory of transformers.")
    if not any(place.glob("*.safetensors")):
        pickled = [path.name for pattern in _PICKLES for path in place.glob(pattern)]
        if pickled:
            raise ModelError(
                f"{name} has pickled weights only ({', '.join(pickled[:3])}), which can run code when read: "
                "convert them to safetensors with a tool you trust."
            )
        raise ModelError(f"{name} has no weights: expected *.safetensors beside config.json.")


def _origin(place: Path) -> dict[str, Any]:
    manifest = place / MANIFEST
    if not manifest.is_file():
        return {}
    try:
        return json.loads(manifest.read_text())
    except ValueError as error:
        raise ModelError(f"{manifest} is not JSON: {error}; remove it, or write the model again.") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
