"""Antidote, on scores that can be worked out on paper."""

import copy
import dataclasses
from typing import Any

import pytest
import torch

from holdfast.defences.antidote import Antidote
from holdfast.errors import DataError
from holdfast.interfaces import Model, View
from holdfast.training.weights.matrices import linears, matrix
from small import PAIRS


@pytest.fixture
def tuned(model: Model) -> Model:
    """The model of the tests after somebody has moved every matrix by 1."""
    other = dataclasses.replace(model, network=copy.deepcopy(model.network))
    for layer in linears(other.network).values():
        matrix(layer).add_(1.0)
    return other


def taken(share: float, ranked: Any, score: torch.Tensor) -> list[list[bool]]:
    return Antidote(share=share, ranked=ranked)._highest(score).tolist()


def test_the_highest_of_each_row_or_of_all() -> None:
    """A quarter of 2 x 4 scores: one of each row, or the two highest of all, which stand in the second row."""
    score = torch.tensor([[1.0, 4.0, 2.0, 3.0], [5.0, 6.0, 8.0, 7.0]])
    f, t = False, True
    assert taken(0.25, "row", score) == [[f, t, f, f], [f, f, t, f]]
    assert taken(0.25, "matrix", score) == [[f, f, f, f], [f, f, t, t]]
    assert taken(0.5, "row", score) == [[f, t, f, t], [f, f, t, t]]
    assert taken(0.0, "row", score) == [[f] * 4] * 2
    assert taken(1.0, "row", score) == [[t] * 4] * 2
    # A little of a row is one entry, as in the release; 0.3 x 10 is 3, not 4, whatever floating point makes of it.
    assert sum(taken(1e-5, "row", score)[0]) == 1
    assert sum(taken(0.3, "row", torch.rand(1, 10))[0]) == 3


def test_an_entry_counts_by_its_size_and_its_input(model: Model) -> None:
    """The first q reads normed embeddings x; its entry ij scores |w_ij| times the norm of x_j over all tokens."""
    network: Any = model.network
    view = View(pairs=PAIRS[:1], exchanges=())
    text = model.tokenizer.apply_chat_template(
        [{"role": "user", "content": PAIRS[0].prompt}, {"role": "assistant", "content": PAIRS[0].harmful}],
        tokenize=False,
    )
    ids = torch.tensor([model.tokenizer(text, add_special_tokens=False)["input_ids"]])
    with torch.no_grad():
        x = network.model.layers[0].input_layernorm(network.model.embed_tokens(ids))[0]
    weight = network.model.layers[0].self_attn.q_proj.weight.detach().clone()
    score = weight.abs() * x.norm(dim=0)
    Antidote(share=1 / 32, pruned="weights").mend(model, model, view)
    gone = network.model.layers[0].self_attn.q_proj.weight == 0
    assert gone.sum(1).tolist() == [1] * 32
    assert torch.equal(gone.int().argmax(1), score.argmax(1))


def test_a_change_is_undone_where_it_matters_most(model: Model, tuned: Model, view: View) -> None:
    """Each entry moved by 1, so its score is ||x_j||: a quarter of 32 inputs, the same 8 in every row, go back."""
    Antidote(share=0.25).mend(tuned, model, view)
    before, after = (matrix(linears(m.network)["1.self_attn.k_proj"]) for m in (model, tuned))
    undone = after == before
    assert undone.sum(1).tolist() == [8] * len(undone)
    assert all(torch.equal(row, undone[0]) for row in undone)
    torch.testing.assert_close(after[~undone], before[~undone] + 1)


@pytest.mark.parametrize("ranked", ["row", "matrix"])
def test_all_of_the_change_is_the_aligned_model(model: Model, tuned: Model, view: View, ranked: Any) -> None:
    Antidote(share=1.0, ranked=ranked).mend(tuned, model, view)
    for name, layer in linears(tuned.network).items():
        assert torch.equal(matrix(layer), matrix(linears(model.network)[name]))


def test_nothing_else_moves(model: Model, tuned: Model, view: View) -> None:
    tuned.network.train()
    kept = copy.deepcopy(model.network.state_dict())
    embeddings = tuned.network.model.embed_tokens.weight.clone()
    Antidote(batch_size=3, pruned="weights").mend(tuned, model, view)
    assert tuned.network.training
    assert not any(module._forward_pre_hooks for module in tuned.network.modules())
    assert all(torch.equal(kept[name], weight) for name, weight in model.network.state_dict().items())
    assert torch.equal(embeddings, tuned.network.model.embed_tokens.weight)


def test_the_batch_size_changes_nothing(model: Model, tuned: Model, view: View) -> None:
    """Padding is left out of the norms."""
    other = dataclasses.replace(tuned, network=copy.deepcopy(tuned.network))
    Antidote(batch_size=1).mend(tuned, model, view)
    Antidote(batch_size=8).mend(other, model, view)
    for one, two in zip(tuned.network.parameters(), other.network.parameters(), strict=True):
        assert torch.equal(one, two)


def test_without_pairs_it_says_so(model: Model) -> None:
    with pytest.raises(DataError, match="no pairs"):
        Antidote().mend(model, model, View(pairs=(), exchanges=()))
