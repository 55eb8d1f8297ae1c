"""Quantisation, by hand."""

from typing import Any

import pytest
import torch
from torch.testing import assert_close

from holdfast.attacks.quantise import Quantise
from holdfast.config import build
from holdfast.interfaces import Model, View
from holdfast.models.tiny import tiny
from holdfast.training.weights.outputs import by_output
from small import TEXTS


def test_a_row_by_hand(model: Model, view: View) -> None:
    """At 3 bits the most is 3: of (1.5, 0.6, -0.8, 0.2, 0, ...) the scale is 0.5: 3, 1.2, -1.6, 0.4 -> 3, 1, -2, 0."""
    network: Any = model.network
    weight = network.model.layers[0].mlp.up_proj.weight
    with torch.no_grad():
        weight[:2] = 0
        weight[0, :4] = torch.tensor([1.5, 0.6, -0.8, 0.2])
    Quantise(bits=3).edit(model, view)
    assert_close(weight[0, :4], torch.tensor([1.5, 0.5, -1.0, 0.0]))
    assert not weight[1].any(), "a row of zeros stays one"


@pytest.mark.parametrize(("preset", "levels"), [("int8", 255), ("int4", 15)])
@pytest.mark.parametrize("name", ["tiny-llama", "tiny-gpt2", "tiny-mixtral"])
def test_every_row_has_so_many_levels_and_keeps_its_largest(name: str, preset: str, levels: int, view: View) -> None:
    model = tiny(name, texts=TEXTS)
    before = {path: weight.clone() for path, weight in by_output(model.network).items()}
    rest = {path: weight.clone() for path, weight in model.network.named_parameters() if weight.ndim == 1}
    words = model.network.get_input_embeddings().weight.clone()
    build(Quantise, Quantise.PRESETS[preset]).edit(model, view)
    for path, weight in by_output(model.network).items():
        was = before[path]
        steps = weight / (was.abs().amax(-1, keepdim=True) / (levels // 2))
        assert_close(steps, steps.round(), atol=1e-3, rtol=0)
        assert_close(weight.abs().amax(-1), was.abs().amax(-1))
        assert ((weight - was).abs() <= was.abs().amax(-1, keepdim=True) / (levels - 1) * 1.001).all()
    assert all(torch.equal(rest[path], weight) for path, weight in model.network.named_parameters() if path in rest)
    assert torch.equal(words, model.network.get_input_embeddings().weight)
