"""A model of each family whose every weight matters.

As a model is first drawn, attention is uniform, norms are ones, and no logit comes near its cap, so that a family's
peculiarities do not show.
"""

from typing import Any

import torch
from transformers import AutoModelForCausalLM, Gemma3Config

from holdfast.interfaces import Model
from holdfast.models.tiny import TINY, tiny
from holdfast.models.words import SPECIAL
from small import TEXTS

SEEING = "a Gemma 3 that sees"
FAMILIES = (*TINY, SEEING)


def awake(name: str) -> Model:
    """A model of a family whose every weight is well away from what it starts from, norms, sinks and biases too."""
    model = seeing() if name == SEEING else tiny(name, texts=TEXTS)
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.network.parameters():
            spread = 0.15 if weight.dim() > 1 else 0.3
            weight.add_(spread * torch.randn(weight.shape, generator=rng))
        # No mark is likely to be said, so that answers have something in them.
        for ends in (model.network.get_input_embeddings(), model.network.get_output_embeddings()):
            ends.weight[: len(SPECIAL)] = 0
    return model


def seeing() -> Model:
    """A Gemma 3 as from 4B on: the decoder inside a model with an eye, which stays shut here."""
    text = tiny("tiny-gemma3", texts=TEXTS)
    settings = Gemma3Config(
        text_config=text.network.config.to_dict(),
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 24,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 28,
            "patch_size": 14,
        },
        mm_tokens_per_image=4,
        image_token_index=4,
        boi_token_index=5,
        eoi_token_index=6,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network: Any = AutoModelForCausalLM.from_config(settings, dtype=torch.float32)
    network.generation_config.pad_token_id = text.tokenizer.pad_token_id
    return Model(network=network.eval(), tokenizer=text.tokenizer, name=SEEING, origin={})
