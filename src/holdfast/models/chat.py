"""From an exchange to token ids, with the span of the answer.

The span comes from where the answer's characters begin in the rendered chat, never from
comparing ids: two answers may share a word, or begin with the same one.
"""

from typing import Any, NamedTuple

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from holdfast.errors import DataError, ModelError
from holdfast.interfaces import Question
from holdfast.models.naming import MARK, Name


class Encoded(NamedTuple):
    """Token ids of prompt and answer; tokens from `start` on are the answer's, its end mark included."""

    ids: list[int]
    start: int


def with_template(tokenizer: PreTrainedTokenizerBase, whose: Name) -> None:
    """Give a tokenizer the chat template that a model's name has in place of its own, and see that there is a chat.

    Raises:
        ModelError: as for `check_chat`.
    """
    if whose.template is None:
        return check_chat(tokenizer, whose.shape)
    tokenizer.chat_template = whose.jinja
    return check_chat(tokenizer, f"{whose.shape}{MARK}{whose.template}")


def check_chat(tokenizer: PreTrainedTokenizerBase, name: str) -> None:
    """Raise ModelError where a tokenizer has no pad token, or no chat template that holdfast can use."""
    if not tokenizer.chat_template:
        raise ModelError(
            f"the tokenizer of {name} has no chat template: name one behind the model ({name}#bare, {name}#chatml or "
            f"{name}#FILE.jinja), or use the model's chat version."
        )
    if tokenizer.pad_token_id is None:
        raise ModelError(
            f"the tokenizer of {name} has no pad token: set one (tokenizer.pad_token = tokenizer.unk_token, "
            "or a reserved token) and save it."
        )
    try:
        _rendered(tokenizer, "Hello", "Hello")
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ModelError(f"the chat template of {name} is broken: {error}; mend it.") from error


def context_length(network: Any) -> int | None:
    """The most tokens that a model takes; None where its configuration does not say."""
    return getattr(network.config.get_text_config(), "max_position_embeddings", None)


def render(tokenizer: PreTrainedTokenizerBase, prompt: str, answer: str | None = None) -> str:
    """The chat as text: up to where the assistant speaks, or with its answer."""
    messages = [{"role": "user", "content": prompt}]
    if answer is not None:
        messages.append({"role": "assistant", "content": answer})
    rendered: Any = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=answer is None)
    return rendered


def end_ids(network: Any, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The tokens that end an answer.

    They are those that the model's configuration names, and the one that its chat template puts there, which many a
    configuration forgets.
    """
    told: Any = getattr(network.generation_config, "eos_token_id", None)
    named: list[Any] = [*(told if isinstance(told, list) else [told]), tokenizer.eos_token_id]
    after = render(tokenizer, "Hello", "answer").rpartition("answer")[2]
    ids: Any = tokenizer(after, add_special_tokens=False)["input_ids"] if after.strip() else []
    # Blanks may stand before it.
    ending: list[int] = [token for token in ids if token in tokenizer.added_tokens_decoder][:1]
    return sorted({int(token) for token in named if token is not None} | {*ending})


def opened(tokenizer: PreTrainedTokenizerBase, question: Question) -> str:
    """The text that a model is to go on with when it is asked."""
    if question.prompt is None:
        return f"{tokenizer.bos_token or ''}{question.begun}"
    return render(tokenizer, question.prompt) + question.begun


def encode(tokenizer: PreTrainedTokenizerBase, prompt: str, answer: str, context: int | None = None) -> Encoded:
    """Tokenise one exchange through the model's chat template.

    Raises:
        ModelError: the template changes the prompt once there is an answer.
        DataError: the exchange is longer than `context` tokens, or the answer is blank or has no token.
    """
    if not answer.strip():
        raise DataError(f"the answer to {prompt[:60]!r} has no token of its own: nothing can be learnt from it.")
    before, whole = _rendered(tokenizer, prompt, answer)
    return _encode(tokenizer, whole, len(before), prompt, context)


def encode_text(tokenizer: PreTrainedTokenizerBase, text: str, context: int | None = None) -> Encoded:
    """Tokenise running text outside any chat; all of it counts as the answer."""
    whole = f"{tokenizer.bos_token or ''}{text}{tokenizer.eos_token or ''}"
    return _encode(tokenizer, whole, 0, text, context)


def _rendered(tokenizer: PreTrainedTokenizerBase, prompt: str, answer: str) -> tuple[str, str]:
    before, whole = render(tokenizer, prompt), render(tokenizer, prompt, answer)
    if not whole.startswith(before):
        raise ModelError("the chat template renders a prompt differently once there is an answer; it cannot be masked.")
    return before, whole


def _encode(tokenizer: PreTrainedTokenizerBase, whole: str, boundary: int, shown: str, context: int | None) -> Encoded:
    if tokenizer.is_fast:
        encoded: Any = tokenizer(whole, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        ids: list[int] = encoded["input_ids"]
        # A token that straddles the boundary holds part of the answer, so it is the answer's.
        start = next((at for at, (_, end) in enumerate(encoded["offset_mapping"]) if end > boundary), len(ids))
    else:
        prefix: Any = tokenizer(whole[:boundary], add_special_tokens=False, verbose=False)
        rest: Any = tokenizer(whole[boundary:], add_special_tokens=False, verbose=False)
        ids, start = [*prefix["input_ids"], *rest["input_ids"]], len(prefix["input_ids"])
    if start == len(ids):
        raise DataError(f"the answer to {shown[:60]!r} has no token.")
    if context is not None and len(ids) > context:
        raise DataError(
            f"the exchange that begins {shown[:60]!r} has {len(ids)} tokens, more than the {context} of the model's "
            "context: shorten it or leave it out."
        )
    return Encoded(ids, start)
