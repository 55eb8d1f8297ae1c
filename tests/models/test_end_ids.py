"""Where an answer ends, by the configuration and by the chat template."""

from typing import Any

from transformers import GenerationConfig

from holdfast.models.chat import end_ids
from holdfast.models.generate import answers
from holdfast.models.tiny import tiny

LLAMA3 = (
    "{% for m in messages %}{{ '<|user|>' + m['content'] + '<|end|>' if m['role'] == 'user' else "
    "m['content'] + ' <|system|>' }}{% endfor %}"
)


def test_a_template_may_end_an_answer_otherwise_than_the_configuration():
    """As Llama 3 did at first: its configuration named the end of a text, and not that of a turn."""
    model = tiny()
    tokenizer: Any = model.tokenizer
    turn, text = tokenizer.convert_tokens_to_ids(["<|system|>", "<|end|>"])
    assert end_ids(model.network, tokenizer) == [text]
    tokenizer.chat_template = LLAMA3
    assert end_ids(model.network, tokenizer) == sorted([turn, text])
    model.network.generation_config = GenerationConfig(eos_token_id=[text, 0])
    assert end_ids(model.network, tokenizer) == sorted([0, turn, text])


def test_a_template_that_ends_an_answer_by_nothing():
    model = tiny()
    model.tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    assert end_ids(model.network, model.tokenizer) == [model.tokenizer.eos_token_id]


def test_generation_stops_at_the_end_of_an_answer():
    """The word that a random model says first is made the end of a turn: nothing is said after it."""
    model, calls, counts = tiny(), list[int](), list[int]()
    tokenizer: Any = model.tokenizer
    tokenizer.chat_template = LLAMA3
    shown = tokenizer("<|user|>How ?<|end|>", add_special_tokens=False, return_tensors="pt")
    first = tokenizer.convert_ids_to_tokens(int(model.network(**shown).logits[0, -1].argmax()))
    model.network.register_forward_hook(lambda *_: calls.append(1))
    for end in ("<|unk|>" if first != "<|unk|>" else "<|bos|>", first):
        tokenizer.add_special_tokens({"additional_special_tokens": [end]})
        tokenizer.chat_template = LLAMA3.replace("<|system|>", end)
        calls.clear()
        answers(model, ["How ?"], max_new_tokens=8)
        counts.append(len(calls))
    assert counts == [8, 1]
