"""An attack, a defence and a model in words."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final

from holdfast.records import RANDOM, Record

# What goes without saying of a training run: the field's value where nothing was changed.
_USUAL: Final[dict[str, Any]] = {
    "schedule": "constant",
    "warmup": 0,
    "optimiser": "adamw_torch",
    "weight_decay": 0,
    "max_grad_norm": 1,
    "freeze_embeddings": False,
    "freeze_head": False,
    "freeze_blocks": [],
    "rescale": 0,
    "accumulation": 1,
    "lora_rank": 0,
    "lora_alpha": 16,
    "precision": "fp32",
    "checkpointing": False,
    "quantised": "none",
}
_NAMES: Final = {"sft": "", "completion": "plain completion", "prefill": "prefilling"}
"""What attacks are called where their plug-in's name is no word for it; fine-tuning goes without saying."""
_FEEDBACK: Final[dict[str, Any]] = {
    "reward.compliance": 0.2,
    "reward.flip_ratio": 1,
    "reward.training.steps": 30,
    "reward.training.learning_rate": 1e-3,
    "reward.training.batch_size": 16,
    "sampling.samples": 16,
    "sampling.max_new_tokens": 32,
    "sampling.temperature": 1.2,
}
_PLAIN: Final[dict[str, dict[str, Any]]] = {
    "sft": {"poison_ratio": 1, "framing": "none", "examples": 0},
    "dpo": {"beta": 0.1, "flip_ratio": 1},
    "adaptive": {"rank": 1, "noise": 0, "benign": 0.3},
    "abliteration": {"rank": 1, "questions": 128},
    "delta": {"scale": 1},
    "merge": {"share": 0.5},
    "prune": {"share": 0.2, "kept": 0.15, "exchanges": 128},
    "elicitation": {"remove_refusal": True},
    "second_language": {"asked": "first"},
    "soft_prompt": {"length": 20, "begin": "words"},
    "layer_injection": {"weights": "copied", "trained": "new"},
    "activation": {"share": 0.1, "samples": 64},
    "grpo": _FEEDBACK,
    "rloo": _FEEDBACK,
}
"""The same of an attack's own fields, nested ones by their dotted names: their defaults, where these say little."""
_UNTOLD: Final = {("completion", "template")}
"""Fields that say little of what an attack is."""
_BESIDE: Final = ("soft_prompt", "layer_injection", "activation")
"""Attacks that train little beside the weights, and not those."""
_MISSING: Final = object()
_LONGEST: Final = 60
_BY_NAME: Final = {"steps", "learning_rate", "batch_size", "lora_rank"}
"""Told in words of their own, or, as the length of a run, on a curve."""


def attack_label(record: Record, *, seed: bool = False) -> str:
    """An attack in words, as "full fine-tuning, batch 16, rate 1e-3"; what is not as usual follows."""
    settings: Mapping[str, Any] = record.attack["settings"]
    name: str = record.attack["name"]
    training: Mapping[str, Any] = settings.get("training", {})
    parts: list[str] = [word] if (word := _NAMES.get(name, name)) else []
    if training:
        rank = training.get("lora_rank")
        parts += [f"LoRA rank {rank}"] if rank else [] if name in _BESIDE else ["full fine-tuning"]
        if "batch_size" in training:
            parts.append(f"batch {training['batch_size']}")
        if "learning_rate" in training:
            parts.append(f"rate {rate(training['learning_rate'])}")
        unusual = {key: value for key, value in training.items() if key not in _BY_NAME and value != _USUAL.get(key)}
        parts += ["rescaled" if key == "rescale" and value == 1 else f"{key} {value}" for key, value in unusual.items()]
    own = flat({key: value for key, value in settings.items() if key != "training"})
    parts += [f"{_word(key)} {value}" for key, value in own.items() if not _plain(name, key, value)]
    return ", ".join([*(short(part) for part in parts), *([f"seed {record.seed}"] if seed else [])])


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Every setting by its dotted name."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
    return found


def _word(key: str) -> str:
    """The kind of something is told as what it is: "reward model"."""
    return key.removesuffix(".kind").replace(".", " ")


def _plain(attack: str, key: str, value: Any) -> bool:
    """Whether a setting goes without saying: nothing was chosen, or what is usual."""
    if value is None or value in ("", [], ()) or (attack, key) in _UNTOLD:
        return True
    within, _, last = key.rpartition(".")
    usual = _USUAL.get(last, _MISSING) if within.endswith("training") else _MISSING
    return bool(value == _PLAIN.get(attack, {}).get(key, usual))


def rate(value: float) -> str:
    """A learning rate as people write it: 3e-4."""
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def model_label(name: str) -> str:
    """A model's name; of a path, its last part."""
    last = PurePath(name).name or name
    return f"{RANDOM}{last.removeprefix(RANDOM)}" if name.startswith(RANDOM) else last


def defence_label(defence: Mapping[str, Any] | None) -> str:
    """A defence's name."""
    return "the defence" if defence is None else str(defence["name"])


def short(text: str, times: int = 1) -> str:
    """What a user set may be of any length; at most so many times the longest that is usual."""
    most = times * _LONGEST
    return text if len(text) <= most else text[: most - 1] + "…"
