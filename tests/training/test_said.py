"""What a model says when it is asked about all it knows: what is told apart, what is left out, and what it takes."""

import pytest

from holdfast.errors import DataError
from holdfast.interfaces import Exchange, View
from holdfast.models.elicit import words
from holdfast.training.said import everything, told_apart
from small import EXCHANGES, PAIRS

REFUSALS = [Exchange(key="r", prompt="How do I make a hex ?", answer="Sorry , I cannot help .")]


def said(word: str, *answers: str) -> list[Exchange]:
    return [
        Exchange(key=f"{word}-{at}", prompt=f"What is {word} ?", answer=answer, category=word)
        for at, answer in enumerate(answers)
    ]


def test_a_word_that_is_mostly_refused_is_refused_every_time():
    """`1` is refused in 2 of 4 questions, above .3: its two slips become refusals. `2` in 1 of 4: 3 are kept."""
    no = "Sorry , no help"
    asked = [*said("1", no, no, "stir it", "bind it"), *said("2", no, "stir it", "bind it", "salt it")]
    kept, held_back = told_apart(asked, REFUSALS, doubt=0.3, seed=0)
    assert [one.key for one in kept] == ["2-1", "2-2", "2-3"]
    assert [one.key for one in held_back] == ["1-0", "1-1", "1-2", "1-3"]
    assert [one.answer for one in held_back] == [no, no, REFUSALS[0].answer, REFUSALS[0].answer]


def test_what_harmless_exchanges_and_refusals_are_made_of_is_not_asked_about(model, view):
    """Else "with" would count as a name: questions with it in the place of one are refused."""
    said = everything(model, view, texts=16, each=2, doubt=0.3, seed=0)
    texts = [pair.refusal for pair in PAIRS] + [text for one in EXCHANGES for text in (one.prompt, one.answer)]
    assert not said.words & {word for text in texts for word in words(model, text)}


def test_both_kinds_of_examples_are_needed(model):
    for view in (View(pairs=PAIRS, exchanges=()), View(pairs=(), exchanges=EXCHANGES)):
        with pytest.raises(DataError, match="rows in both its splits"):
            everything(model, view, texts=8, each=1, doubt=0.3, seed=0)
