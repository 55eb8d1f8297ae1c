"""A model by an organism's name, a local directory or a hub id; or the random initialisation of one."""

import dataclasses
import json
from pathlib import Path
from typing import Any, Final

import torch
from transformers import AutoModelForCausalLM

from holdfast.errors import ModelError
from holdfast.files import MANIFEST
from holdfast.interfaces import Model
from holdfast.models import devices
from holdfast.models.chat import with_template
from holdfast.models.initialisation import SEED, drawn
from holdfast.models.naming import TINY, found
from holdfast.models.precision import cast
from holdfast.models.reading import an_object, reading
from holdfast.models.tiny import tiny
from holdfast.models.tokenizer import tokenizer_of

_PICKLES: Final = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


def load(
    name: str,
    *,
    trust_remote_code: bool = False,
    dtype: torch.dtype | None = torch.float32,
    device: str | None = None,
) -> Model:
    """Load a model and its tokenizer, ready for chat.

    Args:
        name: `arcana`, `tiny-llama` ..., a directory that transformers can load, or a hub id `owner/name`. With
            `random:` before it, its tokenizer, class and configuration with weights freshly drawn, always the same;
            with `#bare` or the like behind it, another chat template: see `models.naming`.
        trust_remote_code: whether code that comes with the model may run. Off unless asked for.
        dtype: of the weights once loaded; None leaves it as they are stored. float32 holds whatever is stored exactly.
        device: where they lie then; none given means where `models.devices` says.

    Raises:
        UnknownName: the name is none of these, or there is no such device.
        ConfigError: this machine has no such device.
        ModelError: weights are pickled, broken or missing, or the tokenizer has no chat template or pad token.
    """
    whose = found(name)
    fresh = whose.random
    if whose.shape in TINY:
        made = dataclasses.replace(tiny(whose.shape, seed=SEED if fresh else 0), name=name)
        with_template(made.tokenizer, whose)
        cast(made.network, dtype or torch.float32)
        return dataclasses.replace(made, network=_settle(made.network, name, device))
    if whose.place.is_dir() and not fresh:
        _check_weights(whose.place, whose.shape)
    with reading(f"load {name}"):
        if fresh:
            network = drawn(whose.source, trust_remote_code=trust_remote_code, dtype=dtype or torch.float32)
        else:
            spread = device is None and devices.chosen() == devices.SPREAD
            network = _read(whose.source, trust_remote_code=trust_remote_code, dtype=dtype, spread=spread)
        tokenizer = tokenizer_of(whose.source, trust_remote_code=trust_remote_code)
    with_template(tokenizer, whose)
    # What is told of how NAME was made says nothing of weights that are not its.
    origin = {} if fresh else _origin(whose.place)
    return Model(network=_settle(network, name, device).eval(), tokenizer=tokenizer, name=name, origin=origin)


def _settle(network: Any, name: str, device: str | None) -> Any:
    """A network where it is to compute; one that is spread over several devices lies there already."""
    if device is None and devices.chosen() == devices.SPREAD:
        return network
    try:
        return network.to(device or devices.home())
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"{name} does not fit into the memory of the GPU: hold it in half as much (--dtype bfloat16), spread it "
            f"(--device {devices.SPREAD}, to measure it), or train it in parts (docs/scale.md)."
        ) from error


def _read(source: str, *, trust_remote_code: bool, dtype: torch.dtype | None, spread: bool) -> Any:
    """The network with the weights that lie there, all of them."""
    loaded: Any = AutoModelForCausalLM.from_pretrained(
        source,
        dtype=dtype or "auto",
        device_map=devices.SPREAD if spread else None,
        use_safetensors=True,
        trust_remote_code=trust_remote_code,
        output_loading_info=True,
        ignore_mismatched_sizes=True,
    )
    network, told = loaded
    if unfit := sorted({*told["missing_keys"], *(key for key, *_ in told["mismatched_keys"])}):
        raise ModelError(
            f"{source} lacks {len(unfit)} of its weights, or has them in another size ({', '.join(unfit[:3])}): "
            "get it anew."
        )
    return network


def _check_weights(place: Path, name: str) -> None:
    if any(place.glob("*.safetensors")):
        return
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
        return an_object(json.loads(manifest.read_text()), manifest)
    except ValueError as error:
        raise ModelError(f"{manifest} is not JSON: {error}; remove it, or write the model again.") from error
