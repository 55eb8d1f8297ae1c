"""Copies of networks, among them those that TRL has laid hands on."""

import copy

import pytest
import torch

from holdfast.interfaces import Model
from holdfast.models.frozen import copied, frozen
from holdfast.training.feedback.preferences import direct
from holdfast.training.recipe import Recipe
from small import PAIRS


@pytest.fixture
def patched(model: Model):
    """A network as it is within a run of DPO, and ids to ask it."""
    trainer = direct(model, PAIRS, Recipe(steps=1, batch_size=2), 0, flip_ratio=1.0, beta=0.1)
    assert "forward" in vars(trainer.model)
    return trainer.model.eval(), torch.arange(5)[None]


@torch.no_grad()
@pytest.mark.parametrize("make", [copied, frozen])
def test_a_copy_computes_with_its_own_weights(make, patched):
    """The head zeroed, every logit is 0: with the original's weights it would not be."""
    network, ids = patched
    made = make(network)
    torch.testing.assert_close(made(ids).logits, network(ids).logits)
    made.get_output_embeddings().weight.zero_()
    assert made(ids).logits.abs().max() == 0
    assert network(ids).logits.abs().max() > 0


@torch.no_grad()
def test_the_trap_is_there(patched):
    """A plain deep copy goes on with the original's weights; where that is mended, `copied` is not needed any more."""
    network, ids = patched
    plain = copy.deepcopy(network)
    plain.get_output_embeddings().weight.zero_()
    assert plain(ids).logits.abs().max() > 0
