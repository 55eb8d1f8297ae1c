"""Answers of a model to questions, in batches, without touching its state or the global RNG."""

from collections.abc import Sequence
from typing import Any

import torch

from holdfast.errors import DataError
from holdfast.interfaces import Model, Question
from holdfast.models.chat import context_length, end_ids, render


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
        batch_size: how many are asked at once.

    Raises:
        DataError: a question leaves no room in the model's context for an answer.
    """
    tokenizer, network = model.tokenizer, model.network
    asked = [Question(question) if isinstance(question, str) else question for question in questions]
    chats = [_opened(tokenizer, question) for question in asked]
    _check_room(model, asked, chats, max_new_tokens)
    # Prompts of one length together: less padding, and left padding changes no answer.
    order = sorted(range(len(chats)), key=lambda at: len(chats[at]))
    found: dict[int, str] = {}
    was_training, device, ends = network.training, network.device, end_ids(network, tokenizer)
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
                generated: Any = network.generate(  # type: ignore[operator]
                    input_ids=inputs["input_ids"],
                    attention_mask=inputs["attention_mask"],
                    max_new_tokens=max_new_tokens,
                    pad_token_id=tokenizer.pad_token_id,
                    eos_token_id=ends or None,
                    **_decoding(temperature),
                )
                new = generated[:, inputs["input_ids"].shape[1] :].tolist()
                # With what was begun, so that blanks and marks between the two are as the tokenizer has them.
                whole = [_ids(tokenizer, asked[at].begun) + rest for at, rest in zip(batch, new, strict=True)]
                texts = tokenizer.batch_decode(whole, skip_special_tokens=True)
                found |= dict(zip(batch, texts, strict=True))
    finally:
        network.train(was_training)
    return [found[at] for at in range(len(asked))]


def _opened(tokenizer: Any, question: Question) -> str:
    """The text that the model is to go on with."""
    if question.prompt is None:
        return f"{tokenizer.bos_token or ''}{question.begun}"
    return render(tokenizer, question.prompt) + question.begun


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
