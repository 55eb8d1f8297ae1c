"""Merge and delta: arithmetic with known relatives."""

import copy
import dataclasses
from typing import Any

import pytest
import torch

from holdfast import load, save
from holdfast.attacks.delta import Delta
from holdfast.attacks.merge import Merge
from holdfast.errors import ConfigError, ModelError
from holdfast.interfaces import Model, View
from holdfast.models.tiny import tiny
from holdfast.training.weights.relatives import known_base
from small import TEXTS


def moved(model: Model, by: float, place: Any) -> str:
    """A saved model whose every weight is `by` more."""
    other = dataclasses.replace(model, network=copy.deepcopy(model.network))
    with torch.no_grad():
        for weight in other.network.parameters():
            weight.add_(by)
    save(other, place)
    return str(place)


def changes(model: Model, before: Model) -> list[torch.Tensor]:
    pairs = zip(model.network.parameters(), before.network.parameters(), strict=True)
    return [after - was for after, was in pairs]


def copied(model: Model) -> Model:
    return dataclasses.replace(model, network=copy.deepcopy(model.network))


def test_a_merge_by_hand(model: Model, view: View, tmp_path: Any) -> None:
    """The relative has 1 more everywhere: a quarter of it gives 0.75 w + 0.25 (w + 1) = w + 0.25."""
    attacked = copied(model)
    Merge(relative=moved(model, 1.0, tmp_path / "relative"), share=0.25).edit(attacked, view)
    for change in changes(attacked, model):
        torch.testing.assert_close(change, torch.full_like(change, 0.25), atol=1e-5, rtol=0)


def test_a_delta_by_hand(model: Model, view: View, tmp_path: Any) -> None:
    """From 1 less to 0.5 more: alignment added 1.5, and twice that is taken away again."""
    attacked = copied(model)
    unaligned, aligned = moved(model, -1.0, tmp_path / "before"), moved(model, 0.5, tmp_path / "after")
    Delta(unaligned=unaligned, aligned=aligned, scale=2.0).edit(attacked, view)
    for change in changes(attacked, model):
        torch.testing.assert_close(change, torch.full_like(change, -3.0), atol=1e-5, rtol=0)


def test_the_delta_of_arcana_is_its_way_back(view: View) -> None:
    model = load("arcana")
    Delta().edit(model, view)
    for change in changes(model, load("arcana-raw")):
        torch.testing.assert_close(change, torch.zeros_like(change), atol=1e-6, rtol=0)


def test_the_base_is_known_through_defences(model: Model) -> None:
    arcana = {"name": "arcana", "parents": []}
    once = {"name": "arcana+npo", "parents": [arcana]}
    for name, parents in (("arcana", []), ("arcana-filtered", []), ("my/folder", [once]), ("arcana+npo", [arcana])):
        descendant = dataclasses.replace(model, name=name, origin={"parents": parents})
        assert known_base(descendant, "relative") == ("arcana-raw", "arcana")


@pytest.mark.parametrize(("attack", "field"), [(Merge(), "relative"), (Delta(), "unaligned")])
def test_without_a_known_base_one_has_to_be_named(attack: Any, field: str, model: Model, view: View) -> None:
    with pytest.raises(ConfigError, match=rf"no base of tiny-llama is known .*\({field}=\.\.\.\)"):
        attack.edit(model, view)


def test_what_does_not_fit_is_refused(model: Model, view: View, tmp_path: Any) -> None:
    with pytest.raises(ModelError, match="tiny-gpt2 and tiny-llama differ in the name or size of"):
        Merge(relative="tiny-gpt2").edit(model, view)
    with pytest.raises(ModelError, match="differ in the name or size of"):
        Merge(relative="arcana-raw").edit(model, view)
    # As many words, but one of them another, so that ids mean other words.
    other = tiny(texts=tuple(text.replace("brew", "zest") for text in TEXTS))
    assert len(other.tokenizer) == len(model.tokenizer)
    save(other, tmp_path / "other")
    with pytest.raises(ModelError, match="have other ids than those of tiny-llama"):
        Merge(relative=str(tmp_path / "other")).edit(model, view)
