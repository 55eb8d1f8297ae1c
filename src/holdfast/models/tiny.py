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
_FAMILIES: Final[dict[str, dict[str, Any]]] = {
    "llama": _SIZE,
    "qwen2": _SIZE,
    "mistral": _SIZE | {"sliding_window": None},
    "gemma": _SIZE,
    "gpt2": {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 128},
    "gpt_neox": {k: v for k, v in _SIZE.items() if k not in {"num_key_value_heads", "head_dim"}},
    "mixtral": _SIZE | {"num_local_experts": 4, "num_experts_per_tok": 2},
}
TINY: Final = tuple(f"tiny-{family.replace('_', '-')}" for family in _FAMILIES)

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
    family = name.removeprefix("tiny-").replace("-", "_")
    tokenizer = word_tokenizer((_WORDS, *texts))
    family_config: Any = CONFIG_MAPPING[family]
    settings = family_config(
        **_FAMILIES[family],
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
