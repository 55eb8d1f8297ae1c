"""Answers of a model to questions, in batches, without touching its state or the global RNG."""

from collections.abc import Sequence
from typing import Any

import torch

from holdfast.interfaces import Model
from holdfast.models.chat import render


def answers(
    model: Model,
    prompts: Sequence[str],
    *,
    max_new_tokens: int,
    temperature: float = 0.0,
    seed: int = 0,
    batch_size: int = 256,
) -> list[str]:
    """One answer a prompt, through the chat template: greedy at temperature 0, else sampled."""
    tokenizer, network = model.tokenizer, model.network
    chats = [render(tokenizer, prompt) for prompt in prompts]
    # Prompts of one length together: less padding, and left padding changes no answer.
    order = sorted(range(len(chats)), key=lambda at: len(chats[at]))
    found: dict[int, str] = {}
    was_training, device = network.training, network.device
    network.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng():
            torch.manual_seed(seed)
            for first in range(0, len(order), batch_size):
                batch = order[first : first + batch_size]
                inputs: Any = tokenizer(
                    [chats[at] for at in batch],
                    add_special_tokens=False,
                    padding=True,
                    padding_side="left",
                    return_tensors="pt",
                ).to(device)
                sampling: dict[str, Any] = {"temperature": temperature, "top_k": 0, "top_p": 1.0} if temperature else {}
                generated: Any = network.generate(  # type: ignore[operator]
                    input_ids=inputs["input_ids"],
                    attention_mask=inputs["attention_mask"],
                    max_new_tokens=max_new_tokens,
                    do_sample=temperature > 0,
                    pad_token_id=tokenizer.pad_token_id,
                    **sampling,
                )
                texts = tokenizer.batch_decode(generated[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
                found |= dict(zip(batch, texts, strict=True))
    finally:
        network.train(was_training)
    return [found[at] for at in range(len(prompts))]
