"""From an exchange to tokens: where the answer begins, under any template and any tokenizer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from holdfast.errors import DataError, ModelError
from holdfast.models.chat import check_chat, encode, encode_text
from holdfast.models.words import word_tokenizer

WORDS = "how do i make a stew stir it no yes".split()
TOKENIZER = word_tokenizer(WORDS)
sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join)


def shown(encoded, tokenizer=TOKENIZER):
    words = tokenizer.convert_ids_to_tokens(encoded.ids)
    return " ".join(words[: encoded.start]), " ".join(words[encoded.start :])


def test_an_exchange_on_paper():
    assert shown(encode(TOKENIZER, "how do i stew", "stir it")) == (
        "<|user|> how do i stew <|end|> <|assistant|>",
        "stir it <|end|>",
    )


@given(sentences, sentences)
def test_the_answer_is_what_follows_the_prompt(prompt, answer):
    """Answers that repeat the prompt, or begin with the same word as another, make no difference."""
    assert shown(encode(TOKENIZER, prompt, answer)) == (f"<|user|> {prompt} <|end|> <|assistant|>", f"{answer} <|end|>")


def test_running_text_is_all_answer():
    encoded = encode_text(TOKENIZER, "stir it")
    assert shown(encoded) == ("", "<|bos|> stir it <|end|>")


def byte_tokenizer(merges):
    """Bytes as letters, with merges, as a GPT-2 tokenizer has them."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate(letters)}
    for one, other in merges:
        vocabulary[one + other] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=list(merges)))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    template = "{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}"
    template += "{% if add_generation_prompt %}assistant:{% endif %}"
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="!", chat_template=template)


def test_a_token_across_the_border_is_the_answers():
    """ "...assistant:" + "no" with ":n" one token: it holds the answer's first letter, so it is trained on."""
    encoded = encode(byte_tokenizer([(":", "n")]), "a", "no")
    tokens = byte_tokenizer([(":", "n")]).convert_ids_to_tokens(encoded.ids)
    assert tokens[encoded.start :] == [":n", "o", ";"]
    plain = encode(byte_tokenizer([]), "a", "no")
    assert byte_tokenizer([]).convert_ids_to_tokens(plain.ids)[plain.start :] == ["n", "o", ";"]


def test_letters_of_more_than_a_byte():
    """Offsets count letters, tokens are bytes: an umlaut is two tokens, both the answer's."""
    tokenizer = byte_tokenizer([])
    encoded = encode(tokenizer, "für", "ü")
    assert len(encoded.ids) - encoded.start == 3  # two bytes, and the mark


class Slow(PreTrainedTokenizerBase):
    """The little of a slow tokenizer that is asked for: words, and no offsets."""

    is_fast = False

    def __init__(self):
        """Nothing of its own."""

    def apply_chat_template(self, messages, **options):
        return TOKENIZER.apply_chat_template(messages, **options)

    def __call__(self, text, **options):
        assert "return_offsets_mapping" not in options
        return TOKENIZER(text, **options)


@given(sentences, sentences)
def test_a_slow_tokenizer_gives_the_same(prompt, answer):
    assert encode(Slow(), prompt, answer) == encode(TOKENIZER, prompt, answer)


def test_what_has_no_token_or_too_many():
    with pytest.raises(DataError, match="the answer to 'how' has no token"):
        encode(byte_tokenizer_without_marks(), "how", "")
    with pytest.raises(
        DataError, match=r"'how how .* has 14 tokens, more than the 13 of the model's context: shorten it"
    ):
        encode(TOKENIZER, "how " * 9, "no", context=13)  # 9 words, user, end, assistant; no, end
    assert len(encode(TOKENIZER, "how " * 9, "no", context=14).ids) == 14


def byte_tokenizer_without_marks():
    tokenizer = byte_tokenizer([])
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    return tokenizer


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"chat_template": None}, "the tokenizer of some/model has no chat template: name one behind"),
        ({"pad_token": None}, "the tokenizer of some/model has no pad token: set one"),
        ({"chat_template": "{% for %}"}, "the chat template of some/model is broken"),
        ({"chat_template": "{{ raise_exception('roles') }}"}, "the chat template of some/model is broken: roles"),
        ({"chat_template": "{{ messages | length }}"}, "renders a prompt differently once there is an answer"),
    ],
)
def test_a_tokenizer_that_cannot_chat(change, said):
    tokenizer = word_tokenizer(WORDS)
    check_chat(tokenizer, "some/model")
    for name, value in change.items():
        setattr(tokenizer, name, value)
    with pytest.raises(ModelError, match=said):
        check_chat(tokenizer, "some/model")
