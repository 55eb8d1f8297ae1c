"""Tiny random models of every family, as real models under the names `tiny-llama`, `tiny-gpt2` ...

For tests, for the contract suite, and for trying a plug-in in a second. They know nothing.
"""

from typing import Any, Final

import torch
from transformers import CONFIG_MAPPING, AutoModelForCausalLM

from holdfast.interfaces import Model
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
_LLAMA3: Final[dict[str, Any]] = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
_FAMILIES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "llama": ("llama", _SIZE),
    "llama3": ("llama", _SIZE | {"rope_parameters": _LLAMA3, "tie_word_embeddings": True}),
    "qwen2": ("qwen2", _SIZE),
    "qwen3": ("qwen3", _SIZE | {"tie_word_embeddings": True}),
    "mistral": ("mistral", _SIZE | {"sliding_window": _WINDOW}),
    "gemma": ("gemma", _SIZE),
    "gemma2": ("gemma2", _SIZE | {"sliding_window": _WINDOW, "query_pre_attn_scalar": 8}),
    "gemma3": ("gemma3_text", _SIZE | {"sliding_window": _WINDOW, "query_pre_attn_scalar": 8}),
    "phi3": ("phi3", {name: value for name, value in _SIZE.items() if name != "head_dim"}),
    "olmo2": ("olmo2", {name: value for name, value in _SIZE.items() if name != "head_dim"}),
    "gpt2": ("gpt2", {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 128}),
    "gpt-neox": ("gpt_neox", {k: v for k, v in _SIZE.items() if k not in {"num_key_value_heads", "head_dim"}}),
    "mixtral": ("mixtral", _SIZE | {"num_local_experts": 4, "num_experts_per_tok": 2}),
    "olmoe": ("olmoe", {name: value for name, value in _SIZE.items() if name != "head_dim"} | _EXPERTS),
    "qwen3-moe": ("qwen3_moe", _SIZE | _EXPERTS | {"moe_intermediate_size": 24}),
    "gpt-oss": ("gpt_oss", _SIZE | {"num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": _WINDOW}),
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
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network: Any = AutoModelForCausalLM.from_config(settings, dtype=torch.float32)
    network.generation_config.pad_token_id = tokenizer.pad_token_id
    return Model(network=network.eval(), tokenizer=tokenizer, name=name, origin={})
