"""Answers of a model to questions, in batches, without touching its state or the global RNG."""

from collections.abc import Sequence
from typing import Any

import torch

from holdfast.errors import DataError
from holdfast.interfaces import Model, Question
from holdfast.models import devices, engine
from holdfast.models.chat import context_length, end_ids, opened
from holdfast.models.generators import chosen


def answers(
    model: Model,
    questions: Sequence[str | Question],
    *,
    max_new_tokens: int,
    temperature: float = 0.0,
    seed: int = 0,
    batch_size: int = 256,
) -> list[str]:
    """One answer a question, through the chat template: greedy at temperature 0, else sampled.

    Args:
        model: who is asked.
        questions: a text is what the user says. An answer that was begun by the question is given whole.
        max_new_tokens: the longest answer, or rest of an answer.
        temperature: 0 is greedy.
        seed: of the sampling; the global RNG is put back.
        batch_size: how many are asked at once; half as many where a GPU has no room for them.

    Raises:
        DataError: a question leaves no room in the model's context for an answer.
        UnknownName, ConfigError, ModelError: who is to make answers is not there, or cannot run the model.
    """
    tokenizer, network = model.tokenizer, model.network
    asked = [Question(question) if isinstance(question, str) else question for question in questions]
    if not asked:
        return []
    chats = [opened(tokenizer, question) for question in asked]
    _check_room(model, asked, chats, max_new_tokens)
    ends = end_ids(network, tokenizer)
    if chosen() == "vllm":
        new = engine.generated(
            model, chats, max_new_tokens=max_new_tokens, temperature=temperature, seed=seed, ends=ends
        )
    else:
        new = _generated(model, chats, max_new_tokens, temperature, seed, ends, batch_size)
    # With what was begun, so that blanks and marks between the two are as the tokenizer has them.
    whole = [_ids(tokenizer, one.begun) + rest for one, rest in zip(asked, new, strict=True)]
    return tokenizer.batch_decode(whole, skip_special_tokens=True)


def _generated(
    model: Model,
    chats: Sequence[str],
    max_new_tokens: int,
    temperature: float,
    seed: int,
    ends: Sequence[int],
    batch_size: int,
) -> list[list[int]]:
    """The tokens after each text, by transformers, with the padding that ends the shorter of a batch."""
    network: Any = model.network
    # Prompts of one length together: less padding, and left padding changes no answer.
    order = sorted(range(len(chats)), key=lambda at: len(chats[at]))
    found: dict[int, list[int]] = {}
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices.drawing()):
            torch.manual_seed(seed)
            while len(found) < len(order):
                batch = order[len(found) : len(found) + batch_size]
                try:
                    found |= dict(
                        zip(batch, _batch(model, chats, batch, max_new_tokens, temperature, ends), strict=True)
                    )
                except torch.OutOfMemoryError:
                    if batch_size == 1:
                        raise
                    batch_size = (min(batch_size, len(batch)) + 1) // 2
    finally:
        network.train(was_training)
    return [found[at] for at in range(len(chats))]


def _batch(
    model: Model, chats: Sequence[str], batch: list[int], max_new_tokens: int, temperature: float, ends: Sequence[int]
) -> list[list[int]]:
    network: Any = model.network
    inputs: Any = model.tokenizer(
        [chats[at] for at in batch], add_special_tokens=False, padding=True, padding_side="left", return_tensors="pt"
    ).to(network.device)
    generated: Any = network.generate(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        max_new_tokens=max_new_tokens,
        pad_token_id=model.tokenizer.pad_token_id,
        eos_token_id=list(ends) or None,
        **_decoding(temperature),
    )
    return generated[:, inputs["input_ids"].shape[1] :].tolist()


def _ids(tokenizer: Any, text: str) -> list[int]:
    return tokenizer(text, add_special_tokens=False)["input_ids"] if text else []


def _decoding(temperature: float) -> dict[str, Any]:
    """Every setting by which a model's own generation config could change what is said."""
    plain = {"num_beams": 1, "repetition_penalty": 1.0, "no_repeat_ngram_size": 0, "min_length": 0, "top_p": 1.0}
    if temperature > 0:
        return {**plain, "do_sample": True, "temperature": temperature, "top_k": 0}
    return {**plain, "do_sample": False, "temperature": 1.0, "top_k": 50}  # the defaults, which greedy ignores


def _check_room(model: Model, asked: list[Question], chats: list[str], max_new_tokens: int) -> None:
    context = context_length(model.network)
    if context is None or not chats:
        return
    encoded: Any = model.tokenizer(chats, add_special_tokens=False, verbose=False)
    for question, ids in zip(asked, encoded["input_ids"], strict=True):
        if len(ids) + max_new_tokens > context:
            raise DataError(
                f"the prompt that begins {(question.prompt or question.begun)[:60]!r} has {len(ids)} tokens; with an "
                f"answer of {max_new_tokens} that is more than the {context} of the model's context: shorten it or "
                "leave it out."
            )
