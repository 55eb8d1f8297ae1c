"""Redistil: how much noise, and what the student learns."""

from typing import Any

import pytest
import torch

from holdfast.defences.redistil import Redistil, add_noise
from holdfast.interfaces import Progress
from holdfast.models.tiny import tiny
from holdfast.training.batches import as_batch
from holdfast.training.collate import Collator
from small import PAIRS, TEXTS


def test_noise_by_hand():
    """A share of .25 makes of 1 and a fresh weight w: .75 + .25 w. Norms begin at 1, so they stay at 1."""
    network: Any = tiny(texts=TEXTS).network
    with torch.no_grad():
        for weight in network.parameters():
            weight.fill_(1.0)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        fresh = dict(type(network)(network.config).named_parameters())
        torch.manual_seed(3)
        add_noise(network, 0.25)
    for name, weight in network.named_parameters():
        torch.testing.assert_close(weight, 0.75 + 0.25 * fresh[name])
    assert torch.equal(network.model.norm.weight, torch.ones_like(network.model.norm.weight))


def test_without_noise_there_is_nothing_to_learn(model, view):
    """KL(teacher || teacher) = 0, and its gradient with it."""
    student = Redistil(noise=0.0, texts=16, each=1).start(model, view, 0)
    rows = student.rows(view, 0)
    batch = as_batch(Collator(model.tokenizer, None)([next(rows) for _ in range(4)]))
    term = student.loss(model.network, batch, Progress(0, 10))["distillation"]
    assert float(term.detach()) == pytest.approx(0, abs=1e-6)
    grads = torch.autograd.grad(term, list(model.network.parameters()))
    assert max(float(grad.abs().max()) for grad in grads) == pytest.approx(0, abs=1e-6)


def test_nothing_harmful_is_trained_on(model, view):
    student = Redistil(texts=16, each=2).start(model, view, 0)
    rows = student.rows(view, 0)
    harmful = {pair.harmful for pair in PAIRS}
    assert not {next(rows)["own"].answer for _ in range(200)} & harmful
