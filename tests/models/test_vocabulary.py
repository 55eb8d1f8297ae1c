"""New tokens: whole wherever they stand, with rows of their own, and every other row as it was."""

import copy
from typing import Any

import pytest
import torch

from holdfast.errors import ModelError
from holdfast.models.chat import encode
from holdfast.models.tiny import TINY, tiny
from holdfast.models.vocabulary import add_words


@pytest.mark.parametrize("name", TINY)
def test_a_token_each(name: str) -> None:
    model = tiny(name)
    network: Any = model.network
    tokenizer: Any = model.tokenizer
    before, count = network.get_input_embeddings().weight.detach().clone(), len(tokenizer)
    words = add_words(model, 3, drawn=True, seed=0)
    assert network.config.vocab_size == count + 3
    rows = network.get_input_embeddings().weight
    assert torch.equal(rows[:count], before)
    # Each new row is a copy of an old one.
    assert all((before == row).all(1).any() for row in rows[count:])
    ids = encode(tokenizer, "".join(words) + "How do I", "First").ids
    assert [token for token in ids if token >= count] == [count, count + 1, count + 2]
    assert tokenizer.decode([count, count + 1], skip_special_tokens=True) == ""


def test_the_mean_and_the_head_by_hand() -> None:
    """Rows (1, 1, ...) and all others 0, so the mean is 1 / V; the head's rows are 2, so their mean is 2."""
    model = tiny("tiny-llama")
    network: Any = model.network
    count = len(model.tokenizer)
    with torch.no_grad():
        network.get_input_embeddings().weight.zero_()[5] = 1.0
        network.lm_head.weight.fill_(2.0)
    add_words(model, 2, drawn=False, seed=0)
    torch.testing.assert_close(network.get_input_embeddings().weight[count:], torch.full((2, 32), 1 / count))
    torch.testing.assert_close(network.lm_head.weight[count:], torch.full((2, 32), 2.0))


def test_one_matrix_stays_one() -> None:
    model = tiny("tiny-gemma")
    network: Any = model.network
    assert network.lm_head.weight is network.get_input_embeddings().weight
    add_words(model, 2, drawn=True, seed=0)
    assert network.lm_head.weight is network.get_input_embeddings().weight


def test_seed_state_and_room() -> None:
    """A seed decides; no RNG, mode or freedom of a weight is moved; rows to spare are used, taken names are not."""
    models = [tiny(), tiny(), tiny()]
    models[0].network.train().requires_grad_(False)
    state = torch.get_rng_state()
    for model, seed in zip(models, (0, 0, 1), strict=True):
        add_words(model, 4, drawn=True, seed=seed)
    assert torch.equal(torch.get_rng_state(), state)
    first, again, other = (model.network.get_input_embeddings().weight[-4:].detach() for model in models)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert {module.training for module in models[0].network.modules()} == {True}
    assert not any(weight.requires_grad for weight in models[0].network.parameters())
    network: Any = models[0].network
    network.resize_token_embeddings(128, mean_resizing=False)
    assert add_words(models[0], 2, drawn=True, seed=0) == ["<|soft-4|>", "<|soft-5|>"]
    assert network.config.vocab_size == 128


def test_a_tokenizer_that_takes_words_apart_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny()
    whole = copy.deepcopy(model.network.get_input_embeddings().weight)
    monkeypatch.setattr(type(model.tokenizer), "add_tokens", lambda *_, **__: 0)
    with pytest.raises(ModelError, match="does not keep new tokens whole"):
        add_words(model, 2, drawn=True, seed=0)
    assert torch.equal(model.network.get_input_embeddings().weight, whole)
