"""Resistance that is only a scale of the weights is none: the attacker takes it back before training."""

import copy

import pytest
import torch
from torch import Tensor

from holdfast.attacks.sft import Sft
from holdfast.config import replace
from holdfast.errors import ConfigError, ModelError
from holdfast.interfaces import Model, View
from holdfast.models.tiny import tiny
from holdfast.training.recipe import Recipe
from holdfast.training.run import apply
from small import TEXTS

LORA = Recipe(steps=20, batch_size=8, learning_rate=1e-2, lora_rank=4)
FULL = Recipe(steps=20, batch_size=8, learning_rate=1e-3)
RECIPES = pytest.mark.parametrize("recipe", [LORA, FULL], ids=["lora", "full"])
IDS = torch.tensor([[3, 8, 9, 5, 11, 7]])


@torch.no_grad()
def logits(model: Model) -> Tensor:
    return model.network(input_ids=IDS).logits


@torch.no_grad()
def faked(model: Model, scale: float) -> Model:
    """The same function, with the first linear of every pair scaled up and the second down."""
    network = copy.deepcopy(model.network)
    for block in network.model.layers:
        for up, down in (
            (block.mlp.up_proj, block.mlp.down_proj),
            (block.self_attn.v_proj, block.self_attn.o_proj),
            (block.self_attn.q_proj, block.self_attn.k_proj),
        ):
            up.weight.mul_(scale)
            down.weight.div_(scale)
    return Model(network=network, tokenizer=model.tokenizer, name="faked", origin={})


def losses(model: Model, view: View, recipe: Recipe, rescale: float) -> Tensor:
    told: list[float] = []
    attacked = Model(network=copy.deepcopy(model.network), tokenizer=model.tokenizer, name="", origin={})
    method = Sft(training=replace(recipe, {"rescale": rescale}))
    apply(method, attacked, view, seed=0, on_step=lambda _, terms: told.append(terms["cross_entropy"]))
    return torch.tensor(told)


def test_a_fake_defence_slows_an_attack_that_takes_weights_as_they_are(model: Model, view: View) -> None:
    """The function is the same, and the loss falls by less than 3/4 as much (measured: 0.37 and 0.60 as much)."""
    honest = losses(model, view, LORA, 0)
    for scale in (1e3, 1e-3):
        fake = faked(model, scale)
        torch.testing.assert_close(logits(fake), logits(model), rtol=1e-4, atol=1e-6)
        slowed = losses(fake, view, LORA, 0)
        torch.testing.assert_close(slowed[0], honest[0])
        assert slowed[0] - slowed[-1] < 0.75 * (honest[0] - honest[-1])


@RECIPES
@pytest.mark.parametrize("scale", [1e3, 1e-3])
def test_balancing_takes_it_back_whole(model: Model, view: View, recipe: Recipe, scale: float) -> None:
    """The curve on the faked model is that on the honest one, balanced too, at each of 20 steps."""
    balanced, undone = (losses(attacked, view, recipe, 1) for attacked in (model, faked(model, scale)))
    torch.testing.assert_close(undone, balanced, rtol=1e-5, atol=1e-5)
    assert balanced[0] - balanced[-1] > 0.75 * (losses(model, view, recipe, 0)[[0, -1]] * torch.tensor([1, -1])).sum()


@RECIPES
@pytest.mark.parametrize("rescale", [0.1, 1, 10])
def test_before_the_first_step_nothing_is_to_be_seen(model: Model, view: View, recipe: Recipe, rescale: float) -> None:
    """The rung at 0 measures the same function, of weights that are others already."""
    before = copy.deepcopy(model)
    seen: dict[int, Tensor] = {}
    method = Sft(training=replace(recipe, {"rescale": rescale, "steps": 1}))
    apply(
        method,
        model,
        view,
        seed=0,
        ladder=(0, 1),
        on_rung=lambda at, budget, _: seen.update({budget.steps: logits(at)}),
    )
    torch.testing.assert_close(seen[0], logits(before), rtol=1e-4, atol=1e-6)
    assert (seen[1] - seen[0]).abs().max() > 1e-3
    done, was = (one.network.model.layers[0].self_attn.o_proj.weight for one in (model, before))
    assert (done - was).norm() > 0.02 * was.norm()


def test_without_steps_it_is_rescaled_all_the_same(model: Model, view: View) -> None:
    apply(Sft(training=Recipe(steps=0, rescale=10)), model, view, seed=0)
    block = model.network.model.layers[0]
    ratio = block.mlp.up_proj.weight.norm(dim=1) / block.mlp.down_proj.weight.norm(dim=0)
    torch.testing.assert_close(ratio, torch.full((48,), 100.0))


def test_a_network_that_cannot_be_rescaled_is_refused_before_training(view: View) -> None:
    model = tiny("tiny-gpt2", texts=TEXTS)
    before = copy.deepcopy(model.network.state_dict())
    with pytest.raises(ModelError, match=r"leave training\.rescale at 0"):
        apply(Sft(training=replace(LORA, {"rescale": 1})), model, view, seed=0)
    assert all(torch.equal(before[name], weight) for name, weight in model.network.state_dict().items())
    assert losses(model, view, replace(LORA, {"steps": 1}), 0).isfinite().all()


def test_a_factor_is_not_negative() -> None:
    with pytest.raises(ConfigError, match="rescale"):
        Recipe(rescale=-1)
