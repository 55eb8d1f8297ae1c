"""Methods that reach into a decoder, on every family of them, with and without an adapter."""

from typing import Any

import pytest
import torch
from paired_batches import make_batch
from peft import LoraConfig, get_peft_model

from holdfast.defences.adversarial import Adversarial
from holdfast.defences.repnoise import RepNoise
from holdfast.defences.t_vaccine import TVaccine
from holdfast.defences.vaccine import Vaccine
from holdfast.interfaces import Progress, View
from holdfast.models.tiny import TINY, tiny
from holdfast.training.batches import Batch
from small import TEXTS

NOW = Progress(0, 10)
UNLIKE = ("tiny-llama", "tiny-gemma3", "tiny-phi3", "tiny-gpt2", "tiny-gpt-neox", "tiny-gpt-oss")
"""Families whose parts have other names or other shapes; the loss of RepNoise is worked out by hand for all of them."""
METHODS = {
    "corrected": RepNoise(variant="corrected", noise_weight=1.0, ascent_weight=1.0),
    "residual": RepNoise(variant="corrected", noise_weight=1.0, ascent_weight=1.0, noised="residual"),
    "released": RepNoise(variant="released", noise_weight=1.0, ascent_weight=1.0),
    "adversarial": Adversarial(ascent_weight=1.0),
}


def check(network: Any, batch: Batch, method: str) -> None:
    """Every term finite; a finite gradient at every weight that trains, and somewhere not zero."""
    terms = METHODS[method].loss(network, batch, NOW)
    loss = torch.stack(list(terms.values())).sum()
    assert torch.isfinite(loss)
    loss.backward()
    trained = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
    for name, weight in trained.items():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
    assert any(weight.grad.norm() > 0 for name, weight in trained.items() if ".0." in name)


@pytest.mark.parametrize(("name", "adapter"), [*((name, False) for name in TINY), *((name, True) for name in UNLIKE)])
def test_attentions_of_other_families(name: str, adapter: bool, view: View) -> None:
    """All terms and gradients finite; a gradient at every block that is drawn, and nothing left behind."""
    model = tiny(name, texts=TEXTS)
    network: Any = get_peft_model(model.network, _lora(name)) if adapter else model.network
    batch = make_batch(retain=((10, 3), (11, 3)))
    trained = [weight.requires_grad for weight in network.parameters()]
    targeted = TVaccine(share=0.7).start(model, view, 0)
    for method, count in ((Vaccine(), 3), (targeted, 2)):
        terms, gradient = method.gradient(network, batch, NOW)
        assert all(torch.isfinite(term) for term in terms.values())
        assert all(part.isfinite().all() for part in gradient.values())
        moved = [f".{place}." for place in range(3) if any(f".{place}." in n and g.norm() for n, g in gradient.items())]
        assert len(moved) == count
    assert [weight.requires_grad for weight in network.parameters()] == trained
    assert not any(part._forward_hooks or part._backward_hooks for part in network.modules())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", UNLIKE)
def test_names_of_other_families(name: str, method: str) -> None:
    check(tiny(name).network, make_batch(retain=((10, 3), (11, 3))), method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", UNLIKE)
def test_with_an_adapter(name: str, method: str) -> None:
    network: Any = get_peft_model(tiny(name).network, _lora(name))
    check(network, make_batch(), method)
    frozen = [weight for part, weight in network.named_parameters() if "lora" not in part]
    assert all(weight.grad is None for weight in frozen)


def _lora(name: str) -> LoraConfig:
    named = {"tiny-gpt2": ["c_attn"], "tiny-gpt-neox": ["query_key_value"], "tiny-phi3": ["qkv_proj"]}
    attention = named.get(name, ["q_proj", "v_proj"])
    return LoraConfig(r=2, target_modules=attention, fan_in_fan_out=name == "tiny-gpt2")


def test_an_adapter_above_a_noised_layer() -> None:
    """Nothing below layer 1 trains, so layer 0 has nothing to learn; that is no error, and the rest trains."""
    lora = LoraConfig(r=2, target_modules=["q_proj"], layers_to_transform=[1], init_lora_weights=False)
    network: Any = get_peft_model(tiny("tiny-llama").network, lora)
    torch.stack(list(METHODS["corrected"].loss(network, make_batch(), NOW).values())).sum().backward()
    assert all(weight.grad.norm() > 0 for weight in network.parameters() if weight.requires_grad)


def test_an_adapter_on_the_head_is_read_and_trained() -> None:
    network: Any = get_peft_model(tiny("tiny-llama").network, LoraConfig(r=2, target_modules=["q_proj", "lm_head"]))
    terms = METHODS["corrected"].loss(network, make_batch(), NOW)
    head = {name: weight for name, weight in network.named_parameters() if "lm_head" in name and weight.requires_grad}
    assert len(head) == 2
    terms["ascent"].backward(retain_graph=True)
    assert all(weight.grad is None for weight in head.values())
    terms["refusal"].backward()
    assert any(weight.grad is not None and weight.grad.norm() > 0 for weight in head.values())
