"""How likely a model is to go on in each of a few ways, without saying anything."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import torch

from holdfast.errors import DataError
from holdfast.interfaces import Model, Question
from holdfast.models.chat import context_length, opened

_AT_ONCE: Final = 64
"""Texts in one forward pass."""

_Ids: TypeAlias = "tuple[int, ...]"


def log_likelihoods(
    model: Model, questions: Sequence[Question], endings: Sequence[Sequence[str]]
) -> list[list[float] | None]:
    """The log-probability, in nats, of each ending of each question's answer.

    An ending is tokenised where it stands, right behind the question in the model's chat, as lm-evaluation-harness
    does. What the tokens of all endings of a question have in common at their beginning tells nothing, and is left out.

    Args:
        model: who is asked; stays as it is.
        questions: one that begins the answer is gone on with.
        endings: of each question.

    Returns:
        A number for each ending; None for a question whose endings are not all different to the tokenizer.

    Raises:
        DataError: a question is longer than the model's context.
    """
    pieces = [_pieces(model, question, some) for question, some in zip(questions, endings, strict=True)]
    _check_room(model, questions, [shared for shared, _ in pieces])
    asked: dict[_Ids, set[int]] = {}
    for shared, some in pieces:
        for ending in some:
            for at, token in enumerate(ending):
                asked.setdefault((*shared, *ending[:at]), set()).add(token)
    told = _next(model, asked)
    return [
        [sum(told[(*shared, *each[:at])][token] for at, token in enumerate(each)) for each in some]
        if len({*some}) == len(some)
        else None
        for shared, some in pieces
    ]


def _pieces(model: Model, question: Question, endings: Sequence[str]) -> tuple[_Ids, list[_Ids]]:
    """The tokens that all endings have in common with what stands before them, and those of each that follow."""
    tokenizer: Any = model.tokenizer
    before = opened(tokenizer, question)
    # What was begun is running text, and a word that follows stands behind a blank.
    blank = " " if question.begun and not question.begun[-1].isspace() else ""
    whole: list[list[int]] = tokenizer(
        [f"{before}{blank}{ending}" for ending in endings], add_special_tokens=False, verbose=False
    )["input_ids"]
    alike = min(map(len, whole))
    shared = next((at for at in range(alike) if len({ids[at] for ids in whole}) > 1), alike)
    return tuple(whole[0][:shared]), [tuple(ids[shared:]) for ids in whole]


def _next(model: Model, asked: Mapping[_Ids, set[int]]) -> dict[_Ids, dict[int, float]]:
    """The log-probabilities of some tokens to come next after each context."""
    tokenizer, network = model.tokenizer, model.network
    order = sorted(asked, key=len)
    found: dict[_Ids, dict[int, float]] = {}
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            for first in range(0, len(order), _AT_ONCE):
                batch = order[first : first + _AT_ONCE]
                inputs: Any = tokenizer.pad(
                    {"input_ids": [list(ids) for ids in batch]}, padding_side="left", return_tensors="pt"
                ).to(network.device)
                # One step of generation: each family knows where its padded tokens stand, and makes no other logits.
                made: Any = network.generate(  # type: ignore[operator]
                    input_ids=inputs["input_ids"],
                    attention_mask=inputs["attention_mask"],
                    max_new_tokens=1,
                    do_sample=False,
                    num_beams=1,
                    pad_token_id=tokenizer.pad_token_id,
                    return_dict_in_generate=True,
                    output_logits=True,
                )
                told = made.logits[0].float().log_softmax(-1).cpu()
                for row, ids in zip(told, batch, strict=True):
                    found[ids] = {token: float(row[token]) for token in asked[ids]}
    finally:
        network.train(was_training)
    return found


def _check_room(model: Model, questions: Sequence[Question], contexts: Sequence[_Ids]) -> None:
    context = context_length(model.network)
    for question, ids in zip(questions, contexts, strict=True):
        if context is not None and len(ids) >= context:
            raise DataError(
                f"the prompt that begins {(question.prompt or question.begun)[:60]!r} has {len(ids)} tokens, which "
                f"leaves no room for a letter in the {context} of the model's context: shorten it or leave it out."
            )
