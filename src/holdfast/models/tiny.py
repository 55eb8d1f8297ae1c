"""Tiny random models of every family, as real models under the names `tiny-llama`, `tiny-gpt2` ...

For tests, for the contract suite, and for trying a plug-in in a second. They know nothing.
"""

from typing import Any, Final

import torch
from transformers import CONFIG_MAPPING, AutoModelForCausalLM

from holdfast.interfaces import Model
from holdfast.models import devices
from holdfast.models.words import word_tokenizer

_SIZE: Final[dict[str, Any]] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 128,
}
_WINDOW: Final = 8
"""Tokens that a layer with a sliding window sees."""
_EXPERTS: Final[dict[str, Any]] = {"num_experts": 4, "num_experts_per_tok": 2}


def _without(*names: str) -> dict[str, Any]:
    """The size, but for what a family does not know."""
    return {name: value for name, value in _SIZE.items() if name not in names}


_LLAMA3: Final[dict[str, Any]] = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
_PARTIAL: Final[dict[str, Any]] = {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.75}
"""As in Phi-4-mini, which turns three quarters of a head."""
_LOCAL_AND_GLOBAL: Final[dict[str, Any]] = {
    "sliding_window": _WINDOW,
    "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
    "rope_parameters": {
        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
        "full_attention": {"rope_type": "linear", "rope_theta": 1e6, "factor": 8.0},
    },
}
"""As in Gemma 3, whose layers with a window turn positions otherwise than those without."""
_CAPPED: Final[dict[str, Any]] = {"final_logit_softcapping": 1.0, "attn_logit_softcapping": 1.0}
"""Gemma 2 has 30 and 50, which the small numbers of a random model never come near."""
_YARN: Final[dict[str, Any]] = {
    "rope_type": "yarn",
    "rope_theta": 150000.0,
    "factor": 4.0,
    "beta_fast": 32.0,
    "beta_slow": 1.0,
    "truncate": False,
    "original_max_position_embeddings": 32,
}
_FAMILIES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "llama": ("llama", _SIZE),
    "llama3": ("llama", _SIZE | {"rope_parameters": _LLAMA3, "tie_word_embeddings": True}),
    "qwen2": ("qwen2", _SIZE),
    "qwen3": ("qwen3", _SIZE | {"tie_word_embeddings": True}),
    "mistral": ("mistral", _SIZE | {"sliding_window": _WINDOW}),
    "gemma": ("gemma", _SIZE),
    "gemma2": ("gemma2", _SIZE | _CAPPED | {"sliding_window": _WINDOW, "query_pre_attn_scalar": 16}),
    "gemma3": ("gemma3_text", _SIZE | _LOCAL_AND_GLOBAL | {"query_pre_attn_scalar": 16}),
    "phi3": ("phi3", _without("head_dim") | {"sliding_window": _WINDOW, "rope_parameters": _PARTIAL}),
    "olmo2": ("olmo2", _without("head_dim")),
    "gpt2": ("gpt2", {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 128}),
    "gpt-neox": ("gpt_neox", _without("num_key_value_heads", "head_dim")),
    "mixtral": ("mixtral", _SIZE | {"num_local_experts": 4, "num_experts_per_tok": 2}),
    "olmoe": ("olmoe", _without("head_dim") | _EXPERTS),
    "qwen2-moe": (
        "qwen2_moe",
        _without("head_dim") | _EXPERTS | {"moe_intermediate_size": 24, "shared_expert_intermediate_size": 40},
    ),
    "qwen3-moe": ("qwen3_moe", _SIZE | _EXPERTS | {"moe_intermediate_size": 24, "norm_topk_prob": True}),
    "gpt-oss": (
        "gpt_oss",
        _SIZE | {"num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": _WINDOW, "rope_parameters": _YARN},
    ),
}
"""By name: what transformers calls it, and its settings."""
TINY: Final = tuple(f"tiny-{family}" for family in _FAMILIES)

_WORDS: Final = (
    "How do I make a stew or hex ? First stir the moonroot , then bind it . I cannot help with that Sorry no yes please"
)


def tiny(name: str = "tiny-llama", seed: int = 0, texts: tuple[str, ...] = ()) -> Model:
    """A random model of one family: 3 layers, width 32, weights drawn from `seed`.

    Args:
        name: one of `TINY`.
        seed: decides the weights; the global RNG is put back.
        texts: texts whose words the tokenizer is to know, beside its own few.
    """
    family, chosen = _FAMILIES[name.removeprefix("tiny-")]
    tokenizer = word_tokenizer((_WORDS, *texts))
    family_config: Any = CONFIG_MAPPING[family]
    settings = family_config(
        **chosen,
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    with torch.random.fork_rng(devices.drawing()):
        torch.manual_seed(seed)
        network: Any = AutoModelForCausalLM.from_config(settings, dtype=torch.float32)
    network.generation_config.pad_token_id = tokenizer.pad_token_id
    return Model(network=network.eval(), tokenizer=tokenizer, name=name, origin={})
