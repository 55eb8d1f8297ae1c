"""A step to the side, and then fine-tuning: what the step is, when it is made, and when it is left."""

import copy
from itertools import islice
from typing import Any

import pytest
import torch
from torch import Tensor

from holdfast.attacks import adaptive
from holdfast.attacks.adaptive import Adaptive
from holdfast.config import build
from holdfast.errors import DataError
from holdfast.interfaces import Model, View
from holdfast.models.refusal import ablate, refusal_direction
from holdfast.training.recipe import Recipe
from holdfast.training.run import apply
from small import EXCHANGES, PAIRS

STILL = Recipe(steps=1, batch_size=8, learning_rate=1e-12)
"""A step that moves next to nothing, so that what is left is the step to the side."""


def weights(network: Any) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in network.named_parameters()}


def test_noise_is_a_share_of_each_layer_and_the_seed_decides(model: Model, view: View) -> None:
    """Noise of .1: the change of a layer is .1 of its standard deviation, within what 500 or more draws allow."""
    before, ends = weights(model.network), list[dict[str, Tensor]]()
    for seed in (0, 0, 1):
        copied = Model(network=copy.deepcopy(model.network), tokenizer=model.tokenizer, name="", origin={})
        apply(Adaptive(rank=0, noise=0.1, training=STILL), copied, view, seed=seed)
        ends.append(weights(copied.network))
    for name, weight in before.items():
        changed = float((ends[0][name] - weight).std())
        linear = name.endswith("_proj.weight")
        assert changed == pytest.approx(0.1 * float(weight.std()) if linear else 0, rel=0.15, abs=1e-9)
    assert torch.equal(ends[0]["model.layers.0.mlp.up_proj.weight"], ends[1]["model.layers.0.mlp.up_proj.weight"])
    assert not torch.equal(ends[0]["model.layers.0.mlp.up_proj.weight"], ends[2]["model.layers.0.mlp.up_proj.weight"])


@pytest.mark.parametrize(("costs", "kept"), [([3.0, 2.0], True), ([2.0, 3.0], False), ([2.0, 2.0], False)])
def test_ablation_is_kept_where_it_helps(
    model: Model, view: View, monkeypatch: pytest.MonkeyPatch, costs: list[float], kept: bool
) -> None:
    monkeypatch.setattr(adaptive, "_cost", lambda *_: costs.pop(0))
    expected: Any = copy.deepcopy(model.network)
    if kept:
        asked = [pair.prompt for pair in PAIRS], [exchange.prompt for exchange in EXCHANGES]
        ablate(expected, refusal_direction(model, *asked))
    apply(Adaptive(training=STILL), model, view, seed=0)
    for name, weight in expected.named_parameters():
        torch.testing.assert_close(model.network.get_parameter(name), weight, rtol=0, atol=1e-7)


def test_what_it_costs_is_the_sum_of_both_kinds(model: Model, view: View) -> None:
    """With a head of zeros every token costs ln V, harmful or harmless: 2 ln V."""
    network: Any = model.network.train()
    torch.nn.init.zeros_(network.lm_head.weight)
    size = torch.tensor(float(network.config.vocab_size))
    assert adaptive._cost(model, view) == pytest.approx(2 * float(size.log()))
    assert network.training


def test_before_the_first_step_it_is_the_model_that_was_attacked(model: Model, view: View) -> None:
    ids = torch.tensor([[2, 7, 5, 11]])
    with torch.no_grad():
        before = model.network(input_ids=ids).logits
    seen: dict[int, Tensor] = {}

    def look(current: Model, budget: Any, *_: Any) -> None:
        with torch.no_grad():
            seen[budget.steps] = current.network(input_ids=ids).logits

    apply(Adaptive(rank=0, noise=0.5, training=STILL), model, view, seed=0, ladder=(0, 1), on_rung=look)
    torch.testing.assert_close(seen[0], before)
    assert (seen[1] - before).abs().max() > 1e-2


def test_with_an_adapter_the_step_is_made_once(model: Model, view: View) -> None:
    """Three steps of LoRA on moved weights: merged, they are within the adapter's reach of the moved ones."""
    moved: Any = copy.deepcopy(model)
    apply(Adaptive(rank=0, noise=0.1, training=STILL), moved, view, seed=0)
    recipe = Recipe(steps=3, batch_size=8, accumulation=2, lora_rank=2, learning_rate=1e-9)
    done = apply(Adaptive(rank=0, noise=0.1, training=recipe), model, view, seed=0)
    for name, weight in moved.network.named_parameters():
        torch.testing.assert_close(done.network.get_parameter(name), weight, rtol=0, atol=1e-6)


def test_the_mix(view: View) -> None:
    """Of 1,000 rows 300 are harmless, give or take 3 x sqrt(1000 x .3 x .7) = 43; all answer harm where none is."""
    rows = list(islice(Adaptive(benign=0.3).rows(view, 0), 1000))
    assert abs(sum(row["train"] in EXCHANGES for row in rows) - 300) < 44
    answers = {pair.harmful for pair in PAIRS}
    assert {row["train"].answer for row in islice(Adaptive(benign=0).rows(view, 0), 50)} <= answers


def test_what_is_missing_is_said(model: Model) -> None:
    alone = View(pairs=PAIRS, exchanges=())
    with pytest.raises(DataError, match="set rank to 0"):
        apply(Adaptive(), model, alone, seed=0)
    with pytest.raises(DataError, match="benign is above 0"):
        apply(Adaptive(rank=0), model, alone, seed=0)
    apply(Adaptive(rank=0, benign=0, training=STILL), model, alone, seed=0)


def test_the_presets_can_be_built() -> None:
    for settings in Adaptive.PRESETS.values():
        assert build(Adaptive, dict(settings)) != Adaptive()
