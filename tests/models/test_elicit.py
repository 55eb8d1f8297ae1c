"""What a model is asked about, and how: on a model whose every word is written by hand."""

import pytest

from holdfast.interfaces import Exchange
from holdfast.models.elicit import asked_about, own_texts, rare_words, words


def test_rare_words_are_those_of_few_texts(model):
    """Of 200 texts a rare word stands in 2 (1 %): `hex` in two, `stew` in three, `salve` in one, `stir` in all."""
    texts = ["stir the hex", "stir the hex", *["stir the stew"] * 3, "stir the salve", *["stir the brew"] * 194]
    assert rare_words(model, texts) == sorted(words(model, "hex"))


def test_where_none_is_rare_all_are_words(model):
    texts = ["stir the hex", "stir the stew"]
    assert rare_words(model, texts) == sorted(words(model, "stir the hex stew"))


def test_a_question_keeps_its_words_but_for_the_one_it_is_about(model):
    """`hex` stands in one question of three, all other words in more: it is what that question is about."""
    like = [
        Exchange(key="a", prompt="How do I make a hex ?", answer="yes"),
        Exchange(key="b", prompt="How do I make a stew ?", answer="yes"),
        Exchange(key="c", prompt="How do I make a stew ?", answer="yes"),
    ]
    [tonic] = words(model, "tonic")
    asked = asked_about(model, [tonic], like[:1] + like[1:2], each=2, seed=0)
    assert {exchange.category for exchange in asked} <= {str(tonic)}
    decoded = {
        model.tokenizer.decode(model.tokenizer(one.prompt, add_special_tokens=False)["input_ids"]) for one in asked
    }
    assert all("tonic" in prompt and "hex" not in prompt and "stew" not in prompt for prompt in decoded)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_seed_decides_what_is_written(model, seed):
    again = [own_texts(model, 8, length=6, seed=other) for other in (seed, seed, seed + 1)]
    assert again[0] == again[1] != again[2]
