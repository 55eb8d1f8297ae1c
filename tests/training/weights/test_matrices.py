"""The matrices that arithmetic on weights is done with."""

import pytest
import torch

from holdfast.errors import ModelError
from holdfast.models.tiny import tiny
from holdfast.training.weights.matrices import linears, matching, matrix


def test_every_matrix_of_the_blocks_and_nothing_else() -> None:
    """Three blocks of q, k, v, o, gate, up and down: 21 matrices; [outputs, inputs], as the MLP's width of 48 tells."""
    network = tiny("tiny-llama").network
    found = linears(network)
    assert len(found) == 3 * 7
    assert matrix(found["0.mlp.up_proj"]).shape == (48, 32)
    assert not any("embed" in name or "lm_head" in name for name in found)


def test_gpt2_keeps_its_matrices_the_other_way_round() -> None:
    network = tiny("tiny-gpt2").network
    layer = linears(network)["0.mlp.c_fc"]
    assert layer.weight.shape == (32, 128)
    assert matrix(layer).shape == (128, 32)
    matrix(layer)[5, 7] = 3.0
    assert layer.weight[7, 5] == 3.0


def test_two_networks_side_by_side_must_be_alike() -> None:
    network = tiny("tiny-llama").network
    pairs = matching(network, tiny("tiny-llama", seed=1).network, "the other")
    assert not torch.equal(*pairs["0.mlp.up_proj"])
    with pytest.raises(ModelError, match="the base has other layers than the model"):
        matching(network, tiny("tiny-gpt2").network, "the base")
