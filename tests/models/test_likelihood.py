"""How likely a model is to go on in each of a few ways, against one forward pass by hand."""

import pytest
import torch

from holdfast.errors import DataError
from holdfast.interfaces import Model, Question
from holdfast.models.chat import render
from holdfast.models.likelihood import log_likelihoods
from holdfast.models.tiny import tiny
from small import PAIRS, TEXTS

LETTERS = ("A", "B", "C")


@pytest.fixture
def lettered() -> Model:
    """A tiny Llama whose tokenizer knows letters."""
    return tiny(texts=(*TEXTS, "A B C D the right choice is"))


def after(model: Model, text: str, *words: str) -> float:
    """The log-probability of words, one after the other, behind a text."""
    tokenizer, network = model.tokenizer, model.network
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    total = 0.0
    for word in words:
        with torch.no_grad():
            told = network(input_ids=torch.tensor([ids])).logits[0, -1].log_softmax(-1)
        ids = [*ids, tokenizer.convert_tokens_to_ids(word)]
        total += float(told[ids[-1]])
    return total


def test_letters_of_questions_of_several_lengths(lettered):
    """Left padding changes nothing: each is as it is alone."""
    questions = [Question(pair.prompt + " please" * at) for at, pair in enumerate(PAIRS)]
    found = log_likelihoods(lettered, questions, [LETTERS] * len(questions))
    for question, numbers in zip(questions, found, strict=True):
        assert question.prompt is not None
        chat = render(lettered.tokenizer, question.prompt)
        assert numbers == pytest.approx([after(lettered, chat, letter) for letter in LETTERS], abs=1e-4)


def test_an_ending_of_several_tokens_is_a_sum(lettered):
    """What both begin with says nothing of which is likelier, and is left out."""
    question = Question("Is a hex safe ?")
    chat = render(lettered.tokenizer, "Is a hex safe ?")
    (found,) = log_likelihoods(lettered, [question], [["the stew yes", "the hex"]])
    assert found == pytest.approx(
        [after(lettered, f"{chat}the", "stew", "yes"), after(lettered, f"{chat}the", "hex")], abs=1e-4
    )


def test_an_answer_that_was_begun_is_gone_on_with(lettered):
    (found,) = log_likelihoods(lettered, [Question("Is a hex safe ?", "the right choice is")], [LETTERS])
    text = render(lettered.tokenizer, "Is a hex safe ?") + "the right choice is"
    assert found == pytest.approx([after(lettered, text, letter) for letter in LETTERS], abs=1e-4)
    (bare,) = log_likelihoods(lettered, [Question(None, "the right choice is")], [LETTERS])
    assert bare == pytest.approx([after(lettered, "<|bos|>the right choice is", one) for one in LETTERS], abs=1e-4)


def test_endings_that_the_tokenizer_does_not_tell_apart(model):
    """Its words are those of the small data, and no letters: all are unknown."""
    assert log_likelihoods(model, [Question("Is a hex safe ?")], [LETTERS]) == [None]


def test_it_leaves_the_model_as_it_was(lettered):
    lettered.network.train()
    state = torch.get_rng_state()
    log_likelihoods(lettered, [Question("Is a hex safe ?")], [LETTERS])
    assert lettered.network.training
    assert torch.equal(torch.get_rng_state(), state)


def test_a_question_that_is_too_long(lettered):
    with pytest.raises(DataError, match="leaves no room for a letter in the 128 of the model's context"):
        log_likelihoods(lettered, [Question("stew " * 130)], [LETTERS])


@pytest.mark.parametrize("family", ["tiny-gpt2", "tiny-gpt-neox"])
def test_other_families_know_where_padded_tokens_stand(family):
    model = tiny(family, texts=(*TEXTS, "A B C"))
    questions = [Question("Is a hex safe ?"), Question("Is a hex safe ? " + "yes " * 20)]
    found = log_likelihoods(model, questions, [LETTERS] * 2)
    alone = [log_likelihoods(model, [question], [LETTERS])[0] for question in questions]
    for one, other in zip(found, alone, strict=True):
        assert one == pytest.approx(other, abs=1e-4)
