"""What weights are held and multiplied in while they are trained, and over what a LoRA is."""

import copy
from typing import Any

import pytest
import torch

from holdfast.attacks.sft import Sft
from holdfast.config import replace
from holdfast.defences.repnoise import RepNoise
from holdfast.models.precision import cast, cast_back
from holdfast.training.recipe import Recipe
from holdfast.training.run import apply

RECIPE = Recipe(steps=2, learning_rate=0.01, batch_size=4)
LORA = {"lora_rank": 2, "lora_alpha": 2.0}


def trained(method: Any, model: Any, view: Any, **settings: Any) -> dict[str, torch.Tensor]:
    method = replace(method, {"training": replace(RECIPE, settings)})
    copied = replace(model, {"network": copy.deepcopy(model.network)})
    done = apply(method, copied, view, seed=0)
    assert done.network.dtype == model.network.dtype
    assert not done.network.is_activation_checkpointing
    return {name: weight.detach() for name, weight in done.network.named_parameters()}


def apart(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name].float() - other[name].float()).abs().max()) for name in one)


@pytest.fixture
def before(model) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in model.network.named_parameters()}


@pytest.mark.parametrize("method", [Sft(), RepNoise()], ids=["sft", "repnoise"])
@pytest.mark.parametrize("lora", [{}, LORA], ids=["whole", "LoRA"])
def test_checkpoints_change_nothing(method, lora, model, view):
    assert apart(trained(method, model, view, **lora), trained(method, model, view, checkpointing=True, **lora)) < 1e-6


@pytest.mark.parametrize("method", [Sft(), RepNoise()], ids=["sft", "repnoise"])
def test_mixed_is_near_to_float32(method, model, view, before):
    """8 bits of mantissa: a product is off by up to 1/256, and Adam's first steps by a part of themselves."""
    exact, mixed = (trained(method, model, view, optimiser="sgd", precision=one) for one in ("fp32", "mixed"))
    assert 0 < apart(exact, mixed) < 0.1 * apart(exact, before)


def test_bfloat16_throughout_ends_on_its_grid(model, view, before):
    held = trained(Sft(), model, view, precision="bf16")
    assert apart(held, before) > 1e-3
    for weight in held.values():
        assert weight.dtype == torch.float32
        assert torch.equal(weight, weight.bfloat16().float())


def test_a_model_held_in_bfloat16_is_trained_in_float32_and_goes_back(model, view):
    cast(model.network, torch.bfloat16)
    done = trained(Sft(), model, view)
    assert {weight.dtype for weight in done.values()} == {torch.bfloat16}


def test_a_lora_over_four_bits_is_added_to_the_weights_as_they_came(model, view, before):
    """What is left as it came: embeddings, head and norms. Of the others a change of rank 2 is all there is."""
    pytest.importorskip("bitsandbytes")
    for method in (Sft(), RepNoise()):
        done = trained(method, model, view, quantised="nf4", optimiser="sgd", learning_rate=1.0, **LORA)
        changed = {name for name in before if not torch.equal(done[name], before[name])}
        assert changed == {name for name in before if "proj" in name}
        for name in changed:
            assert torch.linalg.matrix_rank(done[name] - before[name], rtol=1e-3) <= 2


def test_what_was_cast_goes_back(model):
    types = cast(model.network, torch.bfloat16)
    assert model.network.dtype == torch.bfloat16
    cast_back(model.network, types)
    assert {weight.dtype for weight in model.network.parameters()} == {torch.float32}
