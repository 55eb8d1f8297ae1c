"""Hidden states of a forward pass, and MLP outputs, without a hook that outlives it."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from holdfast.errors import ModelError
from holdfast.models.anatomy import Anatomy

_ENTRY = -1  # no module has this id


@dataclass(frozen=True, kw_only=True)
class States:
    """B sequences of S tokens through L blocks of width H."""

    final: Float[Tensor, "B S H"]
    """After the final norm: what the head reads."""
    embedded: Float[Tensor, "B S H"]
    """What enters the first block."""
    residual: Sequence[Float[Tensor, "B S H"]]
    """The residual stream after each block, before any final norm; empty unless asked for."""
    mlp: Sequence[Float[Tensor, "B S H"]]
    """Each block's MLP output, before it is added to the residual stream; empty unless asked for."""


def forward(
    parts: Anatomy,
    input_ids: Int[Tensor, "B S"],
    attention_mask: Int[Tensor, "B S"],
    *,
    residual: bool = False,
    mlp: bool = False,
) -> States:
    """Run the trunk and keep what is asked for. No logits are made.

    Raises:
        ModelError: re-entrant gradient checkpointing cuts the recorded states off from the weights.
    """
    modules = [*(parts.blocks if residual else ()), *(parts.mlps if mlp else ())]
    with _recording(modules, parts.blocks[0]) as recorded:
        output: Any = parts.trunk(input_ids=input_ids, attention_mask=attention_mask, use_cache=False)
    kept = [recorded[id(module)] for module in modules]
    blocks = len(parts.blocks) if residual else 0
    return States(final=output.last_hidden_state, embedded=recorded[_ENTRY], residual=kept[:blocks], mlp=kept[blocks:])


@contextmanager
def _recording(modules: Sequence[nn.Module], entry: nn.Module) -> Generator[dict[int, Tensor]]:
    recorded: dict[int, Tensor] = {}
    differentiable = torch.is_grad_enabled()

    def keep(module: nn.Module, _: Any, output: Any) -> None:
        if differentiable and not torch.is_grad_enabled():
            raise ModelError(
                "re-entrant gradient checkpointing cuts hidden states off from the weights, so their gradient would "
                "silently be zero: enable it with use_reentrant=False."
            )
        recorded[id(module)] = output[0] if isinstance(output, tuple) else output

    def enter(_: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        recorded[_ENTRY] = inputs[0] if inputs else named["hidden_states"]

    handles = [module.register_forward_hook(keep) for module in modules]
    handles.append(entry.register_forward_pre_hook(enter, with_kwargs=True))
    try:
        yield recorded
    finally:
        for handle in handles:
            handle.remove()
