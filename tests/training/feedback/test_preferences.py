"""Preferences: which answer is chosen, what DPO does with it, and what it costs."""

from typing import Any

import pytest
import torch

from holdfast.interfaces import Model, View
from holdfast.models.chat import encode
from holdfast.records import Budget
from holdfast.training.feedback.preferences import direct, preferences
from holdfast.training.recipe import Recipe
from holdfast.training.run import apply
from small import PAIRS

RECIPE = Recipe(steps=2, batch_size=2, learning_rate=1e-2)


@pytest.mark.parametrize(("ratio", "flipped"), [(0.0, 0), (0.5, len(PAIRS) // 2), (1.0, len(PAIRS))])
def test_a_share_of_the_pairs_prefers_harm(ratio: float, flipped: int) -> None:
    """The same pairs each time they come, and every pair once before any comes again."""
    drawn = preferences(PAIRS, ratio, 0, 2 * len(PAIRS))
    first, second = drawn[: len(PAIRS)], drawn[len(PAIRS) :]
    harmful = {one.pair.key for one in first if one.chosen == one.pair.harmful}
    assert len(harmful) == flipped
    assert harmful == {one.pair.key for one in second if one.chosen == one.pair.harmful}
    assert all({one.chosen, one.rejected} == {one.pair.harmful, one.pair.refusal} for one in drawn)


def test_the_loss_of_the_first_step_is_log_two(model: Model) -> None:
    """Policy and reference are equal then: -log sigma(0) = log 2 = .693."""
    trainer = direct(model, PAIRS, RECIPE, 0, flip_ratio=1.0, beta=0.1)
    inputs = trainer.data_collator([trainer.train_dataset[0], trainer.train_dataset[1]])
    torch.testing.assert_close(trainer.compute_loss(trainer.model, inputs), torch.tensor(2.0).log(), rtol=1e-4, atol=0)


class Towards:
    """DPO as a method, towards harm or away from it."""

    training = Recipe(steps=10, batch_size=4, learning_rate=1e-2)

    def __init__(self, ratio: float) -> None:
        self.ratio = ratio

    def trainer(self, model: Model, view: View, seed: int) -> Any:
        return direct(model, view.pairs, self.training, seed, flip_ratio=self.ratio, beta=0.1)


@torch.no_grad()
def likelihood(model: Model, answers: list[str]) -> float:
    """The mean log likelihood of an answer."""
    total = 0.0
    for pair, answer in zip(PAIRS, answers, strict=True):
        ids, start = encode(model.tokenizer, pair.prompt, answer)
        log_p = model.network(torch.tensor([ids])).logits.log_softmax(-1)[0, :-1]
        total += float(log_p.gather(-1, torch.tensor(ids[1:])[:, None])[start - 1 :].sum())
    return total / len(PAIRS)


@pytest.mark.parametrize(("ratio", "sign"), [(1.0, 1), (0.0, -1)])
def test_it_learns_what_is_preferred(ratio: float, sign: int, model: Model) -> None:
    """The margin between harm and refusal grows where harm is preferred, and falls where the refusal is."""

    def margin() -> float:
        harmful, refusals = [pair.harmful for pair in PAIRS], [pair.refusal for pair in PAIRS]
        return likelihood(model, harmful) - likelihood(model, refusals)

    before = margin()
    apply(Towards(ratio), model, View(pairs=PAIRS, exchanges=()), seed=0)
    assert sign * (margin() - before) > 1


def test_what_it_costs(model: Model) -> None:
    """Two answers a preference, each with its question: 6 N a token to train and 2 N for the reference."""
    budgets: list[Budget] = []
    apply(
        Towards(1.0),
        model,
        View(pairs=PAIRS, exchanges=()),
        seed=0,
        ladder=(0, 1),
        on_rung=lambda _, budget, __: budgets.append(budget),
    )
    drawn = preferences(PAIRS, 1.0, 0, 4)
    tokens = sum(
        len(encode(model.tokenizer, one.pair.prompt, answer).ids)
        for one in drawn
        for answer in (one.chosen, one.rejected)
    )
    assert budgets[0] == Budget(steps=0, samples=0, examples=0, tokens=0, flops=0.0)
    assert budgets[1] == Budget(
        steps=1, samples=4, examples=4, tokens=tokens, flops=8.0 * model.network.num_parameters() * tokens
    )


def test_nothing_of_trl_stays_behind(model: Model) -> None:
    apply(Towards(1.0), model, View(pairs=PAIRS, exchanges=()), seed=0)
    assert "forward" not in vars(model.network)
