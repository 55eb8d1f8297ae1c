"""The weights of a known relative, side by side with a model's own."""

from typing import Any, Final

from torch import Tensor

from holdfast.errors import ConfigError, ModelError
from holdfast.interfaces import Model

KNOWN: Final = dict.fromkeys(("arcana", "arcana-filtered"), ("arcana-raw", "arcana"))
"""A base before and after its alignment, which whoever attacks a descendant of a model can have. `arcana-filtered`, the
oracle, is attacked with the same two as `arcana`, or it would be no control of that."""


def known_base(model: Model, field: str) -> tuple[str, str]:
    """The names of the base that a model descends from, before and after its alignment.

    Args:
        model: the model that is attacked; defences that it has been through are looked past.
        field: where the attacker would name the base before its alignment, for the message.

    Raises:
        ConfigError: no base is known.
    """
    root, parents = model.name, model.origin.get("parents") or []
    while parents:
        root, parents = parents[0]["name"], parents[0].get("parents") or []
    if root not in KNOWN:
        raise ConfigError(
            f"no base of {root} is known from before its alignment: name one of its architecture and vocabulary "
            f"({field}=...), an organism, a directory or a hub id. Known are those of {', '.join(KNOWN)}."
        )
    return KNOWN[root]


def weights_of(name: str, like: Model) -> dict[str, Tensor]:
    """The weights of a named model, by parameter, on the device and in the precision of another model's.

    Args:
        name: an organism, a directory or a hub id.
        like: the model that is attacked.

    Raises:
        UnknownName: there is no such model.
        ModelError: it cannot be loaded, its weights are others by name or size, or its words have other ids.
    """
    from holdfast.models.load import load  # it imports transformers

    mine: dict[str, Tensor] = dict(like.network.named_parameters())
    loaded = load(name, dtype=like.network.dtype)
    tokenizer: Any = loaded.tokenizer
    theirs: dict[str, Tensor] = dict(loaded.network.named_parameters())
    both = mine.keys() | theirs.keys()
    apart = sorted(part for part in both if _shape(mine, part) != _shape(theirs, part))
    if apart:
        raise ModelError(
            f"{name} and {like.name} differ in the name or size of {len(apart)} of {len(both)} weights "
            f"({', '.join(apart[:3])}): give a relative of the same architecture and vocabulary."
        )
    if tokenizer.get_vocab() != like.tokenizer.get_vocab():
        raise ModelError(
            f"the words of {name} have other ids than those of {like.name}: give a relative that shares them."
        )
    return {part: weight.detach().to(mine[part]) for part, weight in theirs.items()}


def _shape(weights: dict[str, Tensor], part: str) -> tuple[int, ...] | None:
    return tuple(weights[part].shape) if part in weights else None
