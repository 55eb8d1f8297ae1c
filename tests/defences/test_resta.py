"""RESTA: arithmetic on weights."""

import copy
import dataclasses
from typing import Any

import pytest
import torch

from holdfast import save
from holdfast.defences.resta import Resta
from holdfast.errors import ModelError
from holdfast.interfaces import Model, View
from holdfast.models.frozen import frozen
from holdfast.training.feed import feed
from holdfast.training.recipe import Recipe
from holdfast.training.rows import paired
from holdfast.training.terms.answers import answer_loss
from holdfast.training.weights.unaligned import unaligned

RECIPE = Recipe(steps=20, learning_rate=1e-2, batch_size=8)


def moved(model: Model, by: float) -> Model:
    other = dataclasses.replace(model, network=copy.deepcopy(model.network))
    with torch.no_grad():
        for weight in other.network.parameters():
            weight.add_(by)
    return other


def test_the_sum_by_hand(model: Model, view: View, tmp_path: Any) -> None:
    """Alignment moved each weight by 0.25, the fine-tune by -1: half the vector gives -1 + 0.5 x 0.25 = -0.875."""
    save(moved(model, -0.25), tmp_path / "raw")
    tuned = moved(model, -1.0)
    Resta(scale=0.5, unaligned=str(tmp_path / "raw")).mend(tuned, model, view)
    for mended, before in zip(tuned.network.parameters(), model.network.parameters(), strict=True):
        torch.testing.assert_close(mended, before - 0.875)


def test_it_undoes_what_it_is_made_from(model: Model, view: View) -> None:
    """The same fine-tune on harmful answers as the attack: aligned + (U - aligned) + 1 x (aligned - U) = aligned."""
    attacked = dataclasses.replace(model, network=unaligned(model, None, view, RECIPE))
    Resta(unaligning=RECIPE).mend(attacked, model, view)
    for mended, before in zip(attacked.network.parameters(), model.network.parameters(), strict=True):
        torch.testing.assert_close(mended, before, atol=1e-6, rtol=0)


@pytest.mark.parametrize("harmless", [True, False])
def test_the_unaligned_model_has_learnt_harmful_answers(model: Model, view: View, harmless: bool) -> None:
    """And harmless ones where there are some, whether the aligned model is frozen or not."""
    given = view if harmless else View(pairs=view.pairs, exchanges=())
    found = unaligned(dataclasses.replace(model, network=frozen(model.network)), None, given, RECIPE)
    batch = next(feed(model, paired(view, 0), 8))
    with torch.no_grad():
        fall = {role: float(answer_loss(model.network, t) - answer_loss(found, t)) for role, t in batch.items()}
    assert fall["harmful"] > 1
    assert (fall["retain"] > 1) == harmless


def test_another_architecture_is_refused(model: Model, view: View) -> None:
    with pytest.raises(ModelError, match="tiny-gpt2 has no "):
        Resta(unaligned="tiny-gpt2").mend(model, model, view)
