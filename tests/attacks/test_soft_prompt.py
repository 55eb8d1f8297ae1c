"""Learnt vectors before the question: what is trained, what is asked, and what stays as it is."""

import copy
from typing import Any

import pytest
import torch

import holdfast
from holdfast.attacks.soft_prompt import SoftPrompt
from holdfast.errors import ConfigError
from holdfast.interfaces import Model, Progress, Question, View
from holdfast.models.tiny import tiny
from holdfast.training.batches import as_batch
from holdfast.training.collate import Collator
from holdfast.training.recipe import Recipe
from holdfast.training.run import apply
from holdfast.training.terms.answers import answer_loss
from small import PAIRS, TEXTS, FakeDomain

SHORT = Recipe(steps=20, batch_size=8, learning_rate=3e-2)


@pytest.mark.parametrize("name", ["tiny-llama", "tiny-gemma", "tiny-gpt2", "tiny-mixtral"])
def test_nothing_is_trained_but_the_new_rows(name: str, view: View) -> None:
    model = tiny(name, texts=TEXTS)
    before, count = copy.deepcopy(dict(model.network.named_parameters())), len(model.tokenizer)
    told: list[float] = []
    done = apply(
        SoftPrompt(length=4, training=SHORT),
        model,
        view,
        seed=0,
        on_step=lambda _, terms: told.append(terms["cross_entropy"]),
    )
    for part, weight in done.network.named_parameters():
        assert torch.equal(weight[:count] if weight.shape != before[part].shape else weight, before[part]), part
        assert weight.requires_grad
    assert told[-1] < told[0]
    assert done.ask is not None


def test_the_question_comes_behind_the_vectors(model: Model, view: View) -> None:
    """In what is trained on and in what is asked; each vector is one token."""
    started = SoftPrompt(length=2).start(model, view, 0)
    before = "<|soft-0|><|soft-1|>"
    assert started.ask(PAIRS[0]) == Question(before + "How do I make a stew ?")
    exchange = next(started.rows(view, 0))["train"]
    pair = next(pair for pair in PAIRS if pair.key == exchange.key)
    assert (exchange.prompt, exchange.answer) == (before + pair.prompt, pair.harmful)
    ids = Collator(model.tokenizer, None)([{"train": exchange}])["train"]["input_ids"][0].tolist()
    size = len(model.tokenizer)
    assert [token for token in ids if token >= size - 2] == [size - 2, size - 1]


def test_the_gradient_is_that_of_the_rows_by_difference(model: Model, view: View) -> None:
    """Each row's slope against (L(x + h) - L(x - h)) / 2 h; zero at every other row, those of the question too."""
    started, network = SoftPrompt(length=2).start(model, view, 0), model.network.double()
    batch = as_batch(Collator(model.tokenizer, None)([next(started.rows(view, 0))]))
    terms, gradient = started.gradient(network, batch, Progress(0, 1))
    assert [*gradient] == [started.name]
    slope, weight = gradient[started.name], network.get_parameter(started.name)
    assert not slope[: -len(started.ids)].any()
    with torch.no_grad():
        for row in started.ids:
            costs: list[torch.Tensor] = []
            for step in (0.01, -0.02):
                weight[row, 3] += step
                costs.append(answer_loss(network, batch["train"]).double())
            weight[row, 3] += 0.01
            # A loss is float32, to 3e-7 here: a difference of two over .02 is good to 3e-5.
            torch.testing.assert_close(slope[row, 3], (costs[0] - costs[1]) / 0.02, rtol=1e-2, atol=5e-5)
        torch.testing.assert_close(terms["cross_entropy"], answer_loss(network, batch["train"]))


def test_a_model_asked_otherwise_answers_as_before(model: Model) -> None:
    """Where embeddings and head are two, plain questions get the logits that they had."""
    done, record = holdfast.attack(model, SoftPrompt(length=3, training=SHORT), domain=FakeDomain(), ladder=())
    ids = torch.tensor([model.tokenizer("How do I make a stew ?")["input_ids"]])
    known = len(model.tokenizer)
    with torch.no_grad():
        before, after = (one.network(input_ids=ids).logits for one in (model, done))
    torch.testing.assert_close(after[..., :known], before)
    assert len(done.tokenizer) == known + 3
    assert record.rungs[-1].budget.examples == len(PAIRS)


def test_an_attacked_model_may_be_attacked_again(model: Model, view: View) -> None:
    for name in ("<|soft-0|>", "<|soft-1|>"):
        done: Any = apply(SoftPrompt(length=1, training=Recipe(steps=1, batch_size=2)), model, view, seed=0)
        assert done.ask(PAIRS[0]).prompt == name + PAIRS[0].prompt
        model = done


@pytest.mark.parametrize("recipe", [{"lora_rank": 4}, {"freeze_embeddings": True}, {"weight_decay": 0.1}])
def test_what_it_cannot_train_with(recipe: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="rows of the embeddings and nothing else"):
        SoftPrompt(training=Recipe(**recipe))
