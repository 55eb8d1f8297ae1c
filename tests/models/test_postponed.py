"""A change that is found now and made later."""

from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model

from holdfast.models.postponed import postponed
from holdfast.models.tiny import tiny


def test_it_is_taken_back_and_made_once() -> None:
    network: Any = tiny().network
    weight, other = network.model.layers[0].mlp.up_proj.weight, network.model.layers[1].mlp.up_proj.weight
    before, untouched = weight.detach().clone(), other.detach().clone()
    make = postponed(network, lambda: weight.mul_(3.0))
    assert torch.equal(weight, before)
    with torch.no_grad():
        other.add_(1.0)
    make()
    torch.testing.assert_close(weight, 3.0 * before)
    assert torch.equal(other, untouched + 1.0)  # what the change left alone is left alone
    with torch.no_grad():
        weight.zero_()
    make()
    assert not weight.any()


def test_what_was_learnt_meanwhile_stays() -> None:
    """A guard may train before the change is made: w + 1 learnt, and the change doubled w, so 2 w + 1."""
    network: Any = tiny().network
    weight = network.model.layers[0].mlp.up_proj.weight
    before = weight.detach().clone()
    make = postponed(network, lambda: weight.mul_(2.0))
    with torch.no_grad():
        weight.add_(1.0)
    make()
    torch.testing.assert_close(weight, 2 * before + 1)


def test_an_adapter_may_have_come_between() -> None:
    network: Any = tiny().network
    weight = network.model.layers[0].mlp.up_proj.weight
    before = weight.detach().clone()
    make = postponed(network, lambda: weight.add_(1.0))
    adapted: Any = get_peft_model(network, LoraConfig(r=2, target_modules="all-linear"))
    make()
    assert torch.equal(adapted.base_model.model.model.layers[0].mlp.up_proj.base_layer.weight, before + 1.0)


def test_what_fails_changes_nothing() -> None:
    network: Any = tiny().network
    weight = network.model.layers[0].mlp.up_proj.weight
    before = weight.detach().clone()

    def change() -> None:
        weight.zero_()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        postponed(network, change)
    assert torch.equal(weight, before)
