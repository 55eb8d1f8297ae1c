"""The parts of a decoder: its trunk, blocks, attentions, MLPs, final norm and head, by any family's names.

A method asks for states and logits at the tokens it needs; it never spells a module's name.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from holdfast.errors import ModelError, UnknownName

# In the order tried. Llama, Qwen, Mistral, Gemma, Mixtral: layers/self_attn/mlp/norm; GPT-2: h/attn/mlp/ln_f;
# GPT-NeoX: layers/attention/mlp/final_layer_norm; OPT: decoder.layers/self_attn/fc2/decoder.final_layer_norm.
BLOCKS: Final = ("layers", "h", "blocks", "decoder.layers", "transformer.h")
ATTENTIONS: Final = ("self_attn", "attn", "attention", "self_attention")
MLPS: Final = ("mlp", "feed_forward", "block_sparse_moe", "ffn", "fc2")
NORMS: Final = ("norm", "ln_f", "final_layer_norm", "final_layernorm", "norm_f", "decoder.final_layer_norm")
TEXT: Final = "language_model"
"""What the decoder of text is called in a trunk that can see or hear, too (Gemma 3 from 4B on)."""
PLACE: Final = "holdfast_anatomy"
"""The entry of a model's configuration where a user names parts that are called otherwise."""
_PARTS: Final = ("blocks", "attention", "mlp", "norm")


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """Where the parts are. All are the model's own modules, adapters included; nothing is copied."""

    trunk: nn.Module
    """Embeddings to final norm: ids in, states out. Of a model that can see or hear, the decoder of its text."""
    blocks: Sequence[nn.Module]
    mlps: Sequence[nn.Module]
    """The MLP of each block, whose output is added to the residual stream: in Gemma 2 and 3 and OLMo 2 normed first, as
    is that of the attention."""
    norm: nn.Module
    head: Callable[[Tensor], Tensor]
    """From normed states [..., H] to logits [..., V]: output embeddings and whatever scaling the family adds."""
    head_parameters: tuple[nn.Parameter, ...]
    """The head's weights, for a loss that makes its own gradient."""
    linear: nn.Module | None = None
    """The output embeddings alone, without that scaling."""
    shaping: Callable[[Tensor], Tensor] | None = None
    """That scaling, of each logit by itself; None where the family adds none."""
    attention: str | None = None
    """What a block calls its attention, where a user has said so."""

    @property
    def attentions(self) -> list[nn.Module]:
        """The attention of each block, whose output is added as an MLP's is; looked for when asked: some have none.

        Raises:
            ModelError: a block has none under the names that are tried.
        """
        names = (self.attention,) if self.attention else ATTENTIONS
        what = f"attention in a block of {type(self.trunk).__name__}"
        return [_first(block, names, what, "attention") for block in self.blocks]

    def frozen_norm(self, states: Tensor) -> Tensor:
        """The final norm on states [..., H], its own weights held constant."""
        # As the module that it is: what splits weights over processes gathers them where a module is called.
        trained = [weight for weight in self.norm.parameters() if weight.requires_grad]
        try:
            for weight in trained:
                weight.requires_grad_(False)
            return self.norm(states)
        finally:
            for weight in trained:
                weight.requires_grad_(True)


def inside_adapter(network: Any) -> Any:
    """The network that a PEFT adapter lies around; another is that itself, even with an adapter in its layers."""
    return network.get_base_model() if hasattr(network, "get_base_model") else network


def anatomy(
    network: Any,
    *,
    blocks: str | None = None,
    attention: str | None = None,
    mlp: str | None = None,
    norm: str | None = None,
) -> Anatomy:
    """Find the parts of any decoder that `AutoModelForCausalLM` gives, with a PEFT adapter or without.

    Args:
        network: the model.
        blocks, attention, mlp, norm: dotted names to use instead of those that are tried; `blocks` and
            `norm` from the trunk, `attention` and `mlp` from a block. One that is not given is looked up in
            `holdfast_anatomy`, a dictionary that the model's configuration may hold: there a user
            names the parts once, in `config.json`, for every method.

    Raises:
        ModelError: a part was not found; the message says which names were tried. An attention is
            missed only when `attentions` is asked for.
    """
    whole = inside_adapter(network)
    named = _named(whole.config)
    blocks, mlp, norm = blocks or named.get("blocks"), mlp or named.get("mlp"), norm or named.get("norm")
    trunk: nn.Module = whole.base_model
    if trunk is whole:
        raise ModelError(f"{type(whole).__name__} has no trunk of its own: its `base_model_prefix` names none.")
    trunk = getattr(trunk, TEXT, trunk)
    tried = f"of {type(whole).__name__} (the trunk is its {whole.base_model_prefix!r})"
    found = _first(trunk, (blocks,) if blocks else BLOCKS, f"blocks {tried}", "blocks")
    if not isinstance(found, nn.ModuleList) or not len(found):
        raise ModelError(f"the blocks {tried} are not a list of modules; {_how('blocks')}")
    final = _first(trunk, (norm,) if norm else NORMS, f"final norm {tried}", "norm")
    mlps = [_first(block, (mlp,) if mlp else MLPS, f"MLP in a block {tried}", "mlp") for block in found]
    embeddings: nn.Module | None = whole.get_output_embeddings()
    if embeddings is None:
        raise ModelError(f"there are no output embeddings {tried}: it is not a causal language model.")
    shaping = _shaping(whole.config.get_text_config())
    return Anatomy(
        trunk=trunk,
        blocks=list(found),
        mlps=mlps,
        norm=final,
        head=embeddings if shaping is None else functools.partial(_logits, embeddings, shaping),
        head_parameters=tuple(embeddings.parameters()),
        linear=embeddings,
        shaping=shaping,
        attention=attention or named.get("attention"),
    )


def _logits(embeddings: nn.Module, shaping: Callable[[Tensor], Tensor], states: Tensor) -> Tensor:
    return shaping(embeddings(states))


def _shaping(config: Any) -> Callable[[Tensor], Tensor] | None:
    """What the families do to a logit: Cohere scales up, Granite down, Gemma 2 caps."""
    up, down = getattr(config, "logit_scale", None) or 1.0, getattr(config, "logits_scaling", None) or 1.0
    cap = getattr(config, "final_logit_softcapping", None)
    if up == down == 1.0 and not cap:
        return None

    def shaped(logits: Tensor) -> Tensor:
        logits = logits * up / down
        return torch.tanh(logits / cap) * cap if cap else logits

    return shaped


def _first(module: nn.Module, names: Sequence[str], what: str, argument: str) -> nn.Module:
    for name in names:
        try:
            return module.get_submodule(name)
        except AttributeError:
            continue
    have = ", ".join(name for name, _ in module.named_children())
    raise ModelError(f"found no {what}: tried {', '.join(names)}; there are {have}; {_how(argument)}")


def _named(config: Any) -> dict[str, str]:
    """The names that the model's configuration gives."""
    named: dict[str, str] = getattr(config, PLACE, {})
    for part in named:
        if part not in _PARTS:
            raise UnknownName(f"part in {PLACE}", part, _PARTS)
    return named


def _how(part: str) -> str:
    """How to pass a name, to this function and, by the configuration, to every method."""
    return f'pass the right name as {part}=..., or in the model\'s config.json: "{PLACE}": {{"{part}": "..."}}.'
