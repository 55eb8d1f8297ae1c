"""Safety mixing, on numbers that can be checked on paper."""

import math

import pytest
import torch

from holdfast.defences.safety_mix import SafetyMix
from holdfast.interfaces import Progress, View
from holdfast.training.feed import feed
from holdfast.training.guarding.refusals import refusals
from holdfast.training.terms.answers import answer_loss
from small import PAIRS

NOW = Progress(0, 4)


def test_the_weight_by_hand(model, view):
    """Every token costs ln V under a head of zeros: a share of .75 weighs .75 / .25 = 3, of .5 it weighs 1."""
    torch.nn.init.zeros_(model.network.lm_head.weight)
    cost = math.log(model.network.config.vocab_size)
    for share, weight in ((0.75, 3.0), (0.5, 1.0)):
        terms = SafetyMix(share=share).guard(model, view, seed=0).penalty(model.network, None, NOW)
        assert {name: term.item() for name, term in terms.items()} == pytest.approx({"refusal": weight * cost})
    assert SafetyMix(share=0.0).guard(model, view, seed=0).penalty(model.network, None, NOW) == {}


def test_it_is_the_loss_of_a_mixed_batch(model):
    """Two rows of the user's and six refusals: (1 - s) (L_user + s / (1 - s) L_refusal) with s = 6 / 8."""
    mixed = View(pairs=PAIRS, exchanges=())
    rows = [row["refusal"] for row, _ in zip(refusals(mixed, 0), range(8), strict=False)]
    batch, users, others = (
        next(feed(model, iter([{"train": row} for row in some]), 8))["train"] for some in (rows, rows[:2], rows[2:])
    )
    bracket = answer_loss(model.network, users) + 0.75 / 0.25 * answer_loss(model.network, others)
    assert 0.25 * bracket.item() == pytest.approx(answer_loss(model.network, batch).item())


def test_the_seed_decides_the_rows(model, view):
    drawn = [
        SafetyMix(batch_size=3).guard(model, view, seed).penalty(model.network, None, NOW)["refusal"].item()
        for seed in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
