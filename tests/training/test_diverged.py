"""A number that is not finite stops a run before any weight moves by it."""

import copy
import gc
import weakref
from typing import Any

import pytest
import torch

import holdfast
from holdfast.attacks.sft import Sft
from holdfast.config import config, replace
from holdfast.errors import Diverged
from holdfast.training import run
from holdfast.training.around import Around
from holdfast.training.harness import Harness
from holdfast.training.recipe import Recipe
from holdfast.training.run import apply

AT = 2
"""The step that breaks, counted from 0: two good ones come first."""
RECIPES = {
    "full": Recipe(steps=5, batch_size=4, learning_rate=1e-2),
    "unclipped": Recipe(steps=5, batch_size=4, learning_rate=1e-2, max_grad_norm=0),
    "accumulated": Recipe(steps=5, batch_size=4, learning_rate=1e-2, accumulation=2),
    "lora": Recipe(steps=5, batch_size=4, learning_rate=1e-2, lora_rank=2),
}


def a_weight(model: Any) -> torch.Tensor:
    return next(weight for weight in model.parameters() if weight.requires_grad).flatten()[0]


@config
class Breaking:
    """Supervised fine-tuning until step AT."""

    how: str = "nan loss"
    training: Recipe = Recipe()

    def rows(self, view: Any, seed: int) -> Any:
        return Sft().rows(view, seed)

    def loss(self, model: Any, batch: Any, progress: Any) -> Any:
        terms = Sft().loss(model, batch, progress)
        if progress.step == AT:
            weight = a_weight(model)
            if self.how == "nan loss":
                terms["extra"] = weight * float("nan")
            else:  # the root of 0 is 0, its slope is not finite
                terms["extra"] = (weight - weight.detach()).sqrt()
        return terms


class BreakingByGradient:
    """The same, by a gradient."""

    def __init__(self, method: Breaking):
        self.training, self.rows, self._method = method.training, method.rows, method

    def gradient(self, model: Any, batch: Any, progress: Any) -> Any:
        terms = self._method.loss(model, batch, progress)
        weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        grads = torch.autograd.grad(torch.stack([t.reshape(()) for t in terms.values()]).sum(), list(weights.values()))
        return {n: t.detach() for n, t in terms.items()}, dict(zip(weights, grads, strict=True))


@pytest.fixture
def alive(monkeypatch):
    """Whatever trainer is alive, while only what a run itself collects is collected."""
    begun: list[Any] = []
    attach = Harness.attach

    def noted(self: Any, **given: Any) -> None:
        begun.append(weakref.ref(self))
        attach(self, **given)

    monkeypatch.setattr(Harness, "attach", noted)
    gc.disable()
    yield lambda: [trainer() for trainer in begun if trainer()]
    gc.enable()
    assert begun


@pytest.mark.parametrize("small", [0, 10**9])
def test_nothing_of_a_large_run_stays(model, view, alive, monkeypatch, small):
    """A trainer and its network hold each other. To look for it takes longer than a small run."""
    monkeypatch.setattr(run, "_SMALL", small)
    run.apply(Sft(training=replace(RECIPES["full"], {"steps": 1})), model, view, seed=0)
    assert len(alive()) == (small > 0)
    if not small:
        with pytest.raises(Diverged) as caught:
            run.apply(Breaking(training=RECIPES["full"]), model, view, seed=0)
        assert caught.value.last_good
        assert not alive()


@pytest.mark.parametrize("shape", ["loss", "gradient"])
@pytest.mark.parametrize("how", ["nan loss", "inf gradient"])
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_the_last_good_weights_are_kept(model, view, recipe, how, shape):
    method = Breaking(how=how, training=recipe)
    good = apply(
        Sft(training=replace(recipe, {"steps": AT})),
        replace(model, {"network": copy.deepcopy(model.network)}),
        view,
        seed=0,
    )
    with pytest.raises(Diverged, match=f"step {AT + 1}") as caught:
        apply(method if shape == "loss" else BreakingByGradient(method), model, view, seed=0)
    assert caught.value.step == AT
    last = caught.value.last_good
    assert not hasattr(last.network, "peft_config")
    assert all(weight.grad is None for weight in last.network.parameters())
    for (name, found), expected in zip(
        last.network.state_dict().items(), good.network.state_dict().values(), strict=True
    ):
        assert torch.isfinite(found).all(), name
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_an_attack_that_diverges_is_a_record_with_a_reason(model, domain):
    method = Breaking(training=RECIPES["full"])
    attacked, record = holdfast.attack(model, method, domain=domain, ladder=(0, 1, 2, 5))
    assert [rung.budget.steps for rung in record.rungs] == [0, 1, 2]
    assert record.failure is not None
    assert "step 3" in record.failure.reason
    assert all(torch.isfinite(weight).all() for weight in attacked.network.parameters())


def test_an_attack_that_leaves_no_good_model_is_a_record_nonetheless(model, domain, monkeypatch):
    """DeepSpeed has taken the step by the time that its gradients can be looked at."""

    def spoil(self: Any, *_: Any, **__: Any) -> None:
        self._harness.spoilt = True

    monkeypatch.setattr(Around, "on_step_begin", spoil)
    attacked, record = holdfast.attack(
        model, Breaking(training=RECIPES["full"]), domain=domain, ladder=(0, 5), provider=["antidote"]
    )
    assert attacked is None
    assert [rung.budget.steps for rung in record.rungs] == [0]
    assert "step 3" in record.failure.reason


def test_a_defence_that_diverges_hands_over_its_last_good_model(model, domain):
    with pytest.raises(Diverged) as caught:
        holdfast.harden(model, Breaking(training=RECIPES["lora"]), domain=domain)
    assert caught.value.last_good.origin["made_by"]["name"] == "test_diverged"
