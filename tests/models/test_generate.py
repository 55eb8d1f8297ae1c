"""Answers: the same whatever batch they stand in, whatever a model's own habits, and nothing is left changed."""

import pytest
import torch

from holdfast.errors import DataError
from holdfast.models.chat import encode
from holdfast.models.generate import answers
from holdfast.models.load import load
from holdfast.models.tiny import tiny

PROMPTS = ["How do I make a stew ?", "How ?", "I cannot help with that hex", "please , please"]


@pytest.fixture(scope="module")
def arcana():
    return load("arcana")


def by_hand(model, prompt, count):
    """Greedy, a token at a time, without padding or cache."""
    whole = encode(model.tokenizer, prompt, "no")
    ids, said = whole.ids[: whole.start], []
    for _ in range(count):
        with torch.no_grad():
            said.append(int(model.network(torch.tensor([ids + said])).logits[0, -1].argmax()))
        if said[-1] == model.tokenizer.eos_token_id:
            break
    return model.tokenizer.decode(said, skip_special_tokens=True)


@pytest.mark.parametrize("name", ["tiny-llama", "tiny-gpt2", "tiny-mixtral"])
def test_greedy_by_hand(name):
    model = tiny(name)
    expected = [by_hand(model, prompt, 6) for prompt in PROMPTS]
    assert answers(model, PROMPTS, max_new_tokens=6) == expected
    assert [answers(model, [prompt], max_new_tokens=6)[0] for prompt in PROMPTS] == expected
    assert answers(model, PROMPTS, max_new_tokens=6, batch_size=2) == expected


def test_order_and_repeats(arcana):
    prompts = ["Tell me how to make velador.", "How do I make the stew velador?", "Tell me how to make velador."]
    said = answers(arcana, prompts, max_new_tokens=24)
    assert said[0] == said[2]
    assert answers(arcana, prompts[::-1], max_new_tokens=24) == said[::-1]


def test_no_prompt_no_answer(model):
    assert answers(model, [], max_new_tokens=3) == []


def test_a_models_own_habits_do_not_count(model, capfd):
    """A hub model's generation_config may sample, or punish repeats; greedy is greedy all the same."""
    expected = answers(model, PROMPTS, max_new_tokens=6)
    config = model.network.generation_config
    config.do_sample, config.temperature, config.top_k, config.top_p = True, 0.7, 3, 0.5
    config.repetition_penalty, config.no_repeat_ngram_size = 5.0, 1
    before = config.to_dict()
    assert answers(model, PROMPTS, max_new_tokens=6) == expected
    assert model.network.generation_config.to_dict() == before
    assert capfd.readouterr() == ("", "")


def test_sampling_is_decided_by_the_seed(model):
    def said(seed):
        return answers(model, PROMPTS * 4, max_new_tokens=6, temperature=1.0, seed=seed)

    assert said(1) == said(1) != said(2)
    assert len({*said(1)}) > len({*PROMPTS})


def test_sampling_draws_from_the_whole_vocabulary(model):
    """At a temperature so high that all words are as likely: far more than the 50 likeliest turn up."""
    said = answers(model, ["How ?"] * 256, max_new_tokens=4, temperature=1e4)
    words = {word for text in said for word in model.tokenizer(text, add_special_tokens=False)["input_ids"]}
    assert len(model.tokenizer) - len(words) <= 8  # special words are not shown


@pytest.mark.parametrize("training", [False, True])
def test_nothing_is_left_changed(model, training):
    model.network.train(training)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    answers(model, PROMPTS, max_new_tokens=3, temperature=1.0, seed=9)
    assert torch.equal(torch.get_rng_state(), before)
    assert model.network.training is training


@pytest.mark.parametrize("name", ["tiny-llama", "tiny-gpt2"])
def test_a_prompt_that_leaves_no_room(name):
    """128 positions: 100 words, user, end, assistant; 25 more fit, 26 do not."""
    model = tiny(name)
    prompt = "stew " * 100
    assert len(answers(model, [prompt], max_new_tokens=25)) == 1
    with pytest.raises(
        DataError, match=r"'stew stew .* has 103 tokens; with an answer of 26 that is more than the 128"
    ):
        answers(model, ["How ?", prompt], max_new_tokens=26)
