"""Steps inside a step leave no trace."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from holdfast.errors import ModelError
from holdfast.training.weights import inner


def test_elsewhere_puts_everything_back(model):
    network = model.network
    ids = torch.tensor([[3, 8, 9]])
    network(input_ids=ids, labels=ids).loss.backward()
    weights = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    grads = {name: (weight.grad, weight.grad.clone()) for name, weight in network.named_parameters()}
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    with inner.elsewhere(network):
        assert all(weight.grad is None for weight in network.parameters())
        for _ in inner.descend(
            network, [ids, ids], lambda batch: network(input_ids=batch, labels=batch).loss, learning_rate=0.1
        ):
            torch.rand(3), np.random.rand(3), random.random()
        assert any(not torch.equal(weights[name], weight) for name, weight in network.named_parameters())
    for name, weight in network.named_parameters():
        same, value = grads[name]
        assert torch.equal(weight, weights[name])
        assert weight.grad is same
        assert torch.equal(same, value)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert np.random.get_state()[1].tolist() == states[2]


def test_elsewhere_puts_back_after_an_error(model):
    weights = [weight.detach().clone() for weight in model.network.parameters()]
    with pytest.raises(IndexError), inner.elsewhere(model.network):
        _shift_and_fail(model.network)
    assert all(torch.equal(a, b) for a, b in zip(weights, model.network.parameters(), strict=True))


def _shift_and_fail(network):
    inner.shift(network, inner.trained(network), 1.0)
    [].pop()


def test_gradient_norm_and_shift_by_hand():
    """f = 3 a + 4 b at a = b = 1: gradient (3, 4), norm 5; 1 - 0.5 x 3 = -0.5, 1 - 0.5 x 4 = -1."""

    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = (nn.Parameter(torch.ones(())) for _ in range(3))

    two = Two()
    gradient = inner.gradient(two, 3 * two.a + 4 * two.b)
    assert {name: float(part) for name, part in gradient.items()} == {"a": 3.0, "b": 4.0, "c": 0.0}
    assert float(inner.norm(gradient)) == pytest.approx(5)
    inner.shift(two, gradient, -0.5)
    assert [float(weight.detach()) for weight in two.parameters()] == [-0.5, -1.0, 1.0]


def test_directions_by_hand():
    """(3, 4) . (1, 2) = 11; 2 (3, 4) - (1, 2) = (5, 6)."""
    one, other = ({"a": torch.tensor(a), "b": torch.tensor(b)} for a, b in ((3.0, 4.0), (1.0, 2.0)))
    assert float(inner.dot(one, other)) == 11
    assert inner.combined((2.0, one), (torch.tensor(-1.0), other)) == {"a": 5.0, "b": 6.0}


def test_frozen_weights_are_not_trained():
    layer = nn.Linear(2, 2)
    layer.bias.requires_grad_(False)
    assert list(inner.trained(layer)) == ["weight"]


def test_sharded_weights_are_refused():
    layer = nn.Linear(2, 2)
    layer.weight.ds_id = 0  # as ZeRO-3 marks them
    with pytest.raises(ModelError, match="weight is sharded"):
        inner.trained(layer)
