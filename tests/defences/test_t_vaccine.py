"""T-Vaccine: which blocks are drawn, with what chances, and that the others rest."""

from typing import Any

import numpy as np
import pytest
import torch
from paired_batches import make_batch

from holdfast.defences.t_vaccine import TVaccine
from holdfast.defences.vaccine import Vaccine
from holdfast.interfaces import Model, Progress, View
from holdfast.training.feed import feed
from holdfast.training.recipe import Recipe
from holdfast.training.rows import paired
from holdfast.training.run import apply
from holdfast.training.terms.answers import answer_loss
from small import PAIRS

BATCH = make_batch(retain=((10, 3), (11, 3)))


def at(step: int) -> Progress:
    return Progress(step, 100)


def blocks_of(names: Any) -> set[int]:
    return {int(name.split("layers.")[1].split(".")[0]) for name in names}


def test_chances_by_hand(model: Model, view: View) -> None:
    """p_l = ||g_l|| / sum_k ||g_k||, with g_l taken at what block l's attention gives to the residual stream."""
    network: Any = model.network
    started = TVaccine(probe_rows=4).start(model, view, 0)
    started.gradient(network, BATCH, at(0))
    outputs: list[torch.Tensor] = []

    def keep(_: Any, __: Any, output: Any) -> None:
        outputs.append(output[0])

    handles = [block.self_attn.register_forward_hook(keep) for block in network.model.layers]
    harmful = next(feed(model, ({"harmful": row["harmful"]} for row in paired(view, 2)), 4))["harmful"]
    loss = answer_loss(network, harmful)
    for handle in handles:
        handle.remove()
    norms = [float(slope.norm()) for slope in torch.autograd.grad(loss, outputs)]
    assert started.chances.tolist() == pytest.approx([norm / sum(norms) for norm in norms])
    assert started.chances.sum() == pytest.approx(1)


def test_only_drawn_blocks_are_trained(model: Model, view: View) -> None:
    """A quarter of three blocks is one, of seven tenths two; what is in no block rests in any case."""
    network: Any = model.network
    for share, count in ((0.01, 1), (0.25, 1), (0.7, 2), (1.0, 3)):
        started = TVaccine(share=share).start(model, view, 0)
        _, gradient = started.gradient(network, BATCH, at(0))
        assert len(started.drawn) == count
        assert blocks_of(gradient) == set(started.drawn)
    assert all(weight.requires_grad and weight.grad is None for weight in network.parameters())
    assert not any(part._forward_hooks for part in network.modules())


def test_all_blocks_make_it_vaccine(model: Model, view: View) -> None:
    targeted = TVaccine(share=1.0, radius=2.0).start(model, view, 0).gradient(model.network, BATCH, at(0))
    plain = Vaccine(radius=2.0).gradient(model.network, BATCH, at(0))
    assert {name: float(term) for name, term in targeted[0].items()} == pytest.approx(
        {name: float(term) for name, term in plain[0].items()}
    )
    for name, part in targeted[1].items():
        torch.testing.assert_close(part, plain[1][name])


def test_when_it_looks_and_draws(model: Model, view: View) -> None:
    """A look every 4 steps, a draw every 2; micro-batches of one step share both."""
    started = TVaccine(draw_every=2, probe_every=4).start(model, view, 0)
    drawn, chances = [], []
    for step in (0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8):
        before = started.drawn
        started.gradient(model.network, BATCH, at(step))
        drawn.append(started.drawn is not before)
        chances.append(tuple(started.chances))
    assert [step for step, new in zip((0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8), drawn, strict=True) if new] == [0, 2, 4, 6, 8]
    assert len(set(chances[:6])) == 1
    assert len({chances[0], chances[6], chances[10]}) == 3
    assert chances[6] == chances[7] == chances[9]


def test_blocks_are_drawn_by_their_chances(model: Model, view: View) -> None:
    """Without replacement: a block of chance 1 is always drawn, and beside it one of the two that share the rest."""
    for share, wanted in ((0.25, {(1,)}), (0.7, {(0, 1), (1, 2)})):
        started, drawn = TVaccine(share=share, retain_weight=0).start(model, view, 0), set()
        started.gradient(model.network, BATCH, at(0))
        started.chances = np.array([1e-9, 1 - 2e-9, 1e-9])
        for step in range(1, 10):
            started.gradient(model.network, BATCH, at(step))
            drawn.add(tuple(started.drawn))
        assert drawn == wanted


def test_a_run_leaves_the_other_blocks_to_the_bit(model: Model, view: View) -> None:
    before = {name: weight.detach().clone() for name, weight in model.network.named_parameters()}
    method = TVaccine(draw_every=9, training=Recipe(steps=3, batch_size=4, accumulation=2, weight_decay=0.1))
    done: Any = apply(method, model, view, seed=0).network
    moved = [name for name, weight in done.named_parameters() if not torch.equal(weight, before[name])]
    assert len(blocks_of(moved)) == 1


def test_without_harmless_exchanges_or_weight(model: Model) -> None:
    view = View(pairs=PAIRS, exchanges=[])
    started = TVaccine().start(model, view, 0)
    assert list(started.gradient(model.network, make_batch(), at(0))[0]) == ["perturbed"]
    started = TVaccine(retain_weight=0).start(model, view, 0)
    assert list(started.gradient(model.network, BATCH, at(0))[0]) == ["perturbed"]
