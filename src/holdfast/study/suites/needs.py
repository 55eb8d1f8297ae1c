"""What an attack cannot do without: data that a domain may not have, a judge, a known relative of the model."""

import json
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Final, Literal

from holdfast.interfaces import Domain
from holdfast.models.naming import parts
from holdfast.study.descent import eldest

Data = Literal["benign", "adjacent", "ten", "language", "judge"]
Shape = Literal["relative", "llama", "values", "residual", "classifier"]
Need = Data | Shape | Literal["trl"]
"""Of the domain, of the model, and of what is installed."""

_RELATED: Final = ("arcana", "arcana-filtered")
"""Organisms of which it is known what they were before they were aligned."""
_LLAMAS: Final = ("llama", "mistral", "qwen2", "qwen3", "qwen3_moe", "gemma", "granite", "mixtral", "olmoe", "smollm3")
"""Families, by `model_type`, with blocks as Llama's: what can be scaled against one another in them is known."""
_BIASED: Final = (
    *("llama", "qwen2", "qwen3", "qwen3_moe", "gemma", "gemma2", "gemma3_text", "granite", "smollm3"),
    *("qwen2_moe", "gpt_oss", "olmo", "olmo2", "olmoe", "phi", "cohere", "starcoder2"),
)
"""Families whose attention can have biases of its values."""
_NORMED: Final = ("gemma2", "gemma3", "gemma3_text", "olmo2", "olmo3")
"""Families that write to the residual stream through norms, from which no direction can be taken out."""


def lacking(need: Need, domain: Domain, model: str) -> str | None:
    """Why an attack that needs this is left out, as a part of a sentence; None where it can be run.

    Args:
        need: what it needs.
        domain: what it would be run on.
        model: which model; of two that are compared either one.
    """
    why, there = _NEEDS[need]
    return None if there(domain, model) else why


def _has_language(domain: Domain, _: str) -> bool:
    """All of it, since the attack is taught and asked whatever there is."""
    return all(pair.translated for split in ("attack", "evaluation") for pair in domain.pairs(split))


def _has_judge(domain: Domain, _: str) -> bool:
    pair = domain.pairs("attack")[0]
    return bool(domain.judges) or domain.harm(pair, pair.harmful) is not None


def _family(model: str) -> str | None:
    """The `model_type` of a model on this machine; None where that is not told here."""
    try:
        told: Any = json.loads((parts(model).place / "config.json").read_text())
    except (OSError, ValueError):
        return None
    return str(told.get("model_type")) if isinstance(told, dict) else None


def _is_of(*families: str) -> Callable[[Domain, str], bool]:
    """A model that is nowhere on this machine is taken to be: if not, the run says so when it fails."""
    return lambda _, model: (_family(model) or families[0]) in families


def _can_reward(_: Domain, model: str) -> bool:
    """Whether transformers has a class of this family with a scalar head, as a reward model is."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES

    family = _family(model)
    return family is None or family in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES


_NEEDS: Final[dict[Need, tuple[str, Callable[[Domain, str], bool]]]] = {
    "benign": ("the domain has no benign exchanges", lambda domain, _: "benign" in domain.splits()),
    "adjacent": ("the domain has no exchanges next door to harm", lambda domain, _: "adjacent" in domain.splits()),
    "ten": (
        "the domain has fewer than 10 harmful pairs to attack with",
        lambda domain, _: len(domain.pairs("attack")) >= 10,
    ),
    "language": ("the domain has no second language", _has_language),
    "judge": ("the domain has no exact judge of harm to reward by", _has_judge),
    "relative": ("no model is known that this one was aligned from", lambda _, model: eldest(model) in _RELATED),
    "llama": ("its blocks are not as Llama's, whose weights can be rescaled", _is_of(*_LLAMAS)),
    "residual": (
        "its architecture writes to its residual stream through norms",
        lambda _, model: _family(model) not in _NORMED,
    ),
    "values": ("its architecture has no biases of attention's values", _is_of(*_BIASED)),
    "classifier": ("transformers has no reward model of its architecture", _can_reward),
    "trl": ("TRL is not installed: pip install 'holdfast[rl]'", lambda _domain, _model: find_spec("trl") is not None),
}
"""What is said where it is not there, and whether it is."""
