"""Unname: the rows of refused words by hand, and what is trained on."""

from typing import Any

import pytest
import torch

from holdfast.config import build
from holdfast.defences.unname import Unname, make_one
from holdfast.errors import ConfigError
from holdfast.models.tiny import tiny
from holdfast.training.recipe import Recipe
from holdfast.training.run import apply
from small import PAIRS, TEXTS


@pytest.mark.parametrize("tied", [True, False])
def test_words_become_one_by_hand(tied):
    """Rows 3 and 5 are 1 and 2 in every place: both become 1.5. All other rows stay, and a tied head is done once."""
    network: Any = tiny(texts=TEXTS).network
    head = network.get_output_embeddings()
    rows = network.get_input_embeddings().weight
    head.weight = rows if tied else torch.nn.Parameter(rows.detach().clone())
    with torch.no_grad():
        for weight in (rows, head.weight):
            weight[3], weight[5] = 1.0, 2.0
    before = rows.detach().clone()
    make_one(network, [3, 5])
    for weight in (rows, head.weight):
        assert torch.equal(weight[[3, 5]], torch.full_like(weight[[3, 5]], 1.5))
        others = [row for row in range(len(weight)) if row not in (3, 5)]
        assert torch.equal(weight[others], before[others])


def test_a_heads_bias_by_hand():
    """Biases of 1 and 2 become 1.5, or the two words would still be said apart."""
    network: Any = tiny(texts=TEXTS).network
    head = network.get_output_embeddings()
    head.bias = torch.nn.Parameter(torch.zeros(len(head.weight)))
    with torch.no_grad():
        head.bias[3], head.bias[5] = 1.0, 2.0
    make_one(network, [3, 5])
    assert head.bias[[3, 5]].tolist() == [1.5, 1.5]
    assert float(head.bias.detach().sum()) == 3


def test_with_no_words_nothing_is_changed():
    network: Any = tiny(texts=TEXTS).network
    before = network.get_input_embeddings().weight.detach().clone()
    make_one(network, [])
    assert torch.equal(network.get_input_embeddings().weight, before)


def test_embeddings_cannot_be_trained():
    with pytest.raises(ConfigError, match="freeze_embeddings must stay true"):
        build(Unname, {"training.freeze_embeddings": False})


def test_nothing_harmful_is_trained_on(model, view):
    rows = Unname(texts=16, each=2).start(model, view, 0).rows(view, 0)
    assert not {next(rows)["own"].answer for _ in range(200)} & {pair.harmful for pair in PAIRS}


def test_refused_words_stay_one_through_the_distillation(model, view, monkeypatch):
    """Embeddings are frozen: what was made one at the start is one at the end."""
    from holdfast.training import said

    monkeypatch.setattr(said, "told_apart", lambda asked, refusals, doubt, seed: ([], list(asked)))
    hardened = apply(Unname(texts=16, each=1, training=Recipe(steps=2, freeze_embeddings=True)), model, view, seed=0)
    rows = hardened.network.get_input_embeddings().weight
    asked = said.everything(model, view, texts=16, each=1, doubt=0.3, seed=0).words
    found = rows[sorted(asked)]
    assert len(found) > 1
    assert torch.equal(found, found[:1].expand_as(found))
