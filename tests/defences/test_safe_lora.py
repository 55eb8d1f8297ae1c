"""Safe LoRA, on 2 x 2 matrices that can be worked out on paper."""

import copy
import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor

from holdfast import save
from holdfast.defences.safe_lora import SafeLora
from holdfast.errors import ModelError
from holdfast.interfaces import Model, View
from holdfast.models.tiny import tiny
from holdfast.training.weights.matrices import linears, matrix

V = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
CHANGE = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
LAYER = "1.mlp.up_proj"


def moved(model: Model, by: float) -> Model:
    other = dataclasses.replace(model, network=copy.deepcopy(model.network))
    for number, layer in enumerate(linears(other.network).values()):
        generator = torch.Generator().manual_seed(number)
        matrix(layer).add_(by * torch.randn(matrix(layer).shape, generator=generator))
    return other


def of(model: Model) -> Tensor:
    return matrix(linears(model.network)[LAYER])


def test_the_released_projector_by_hand() -> None:
    """V V^T = diag(9, 16) and ||V|| = 5, so the change diag(1, 1) becomes diag(1.8, 3.2): stretched, not projected."""
    torch.testing.assert_close(SafeLora()._projected(V, CHANGE), torch.tensor([[1.8, 0.0], [0.0, 3.2]]))
    assert not SafeLora()._projected(torch.zeros(2, 2), CHANGE).any()


def test_the_subspace_by_hand() -> None:
    """16 of 25 is .64 of the energy: one direction, the second row's, holds .64, and two hold all."""
    one, two = (SafeLora(projector="subspace", energy=energy)._projected(V, CHANGE) for energy in (0.64, 0.65))
    torch.testing.assert_close(one, torch.tensor([[0.0, 0.0], [0.0, 1.0]]))
    torch.testing.assert_close(two, CHANGE)
    # A projection: what it leaves, it leaves again.
    torch.testing.assert_close(SafeLora(projector="subspace", energy=0.64)._projected(V, one), one)


def test_it_is_the_releases_for_a_lora() -> None:
    """C (B A) = (C B) A."""
    b, a, v = torch.randn(4, 2), torch.randn(2, 3), torch.randn(4, 3)
    torch.testing.assert_close(SafeLora()._projected(v, b @ a), (v @ v.T / v.norm() @ b) @ a)


@pytest.fixture
def raw(model: Model, tmp_path: Any) -> str:
    """A directory with the model before its alignment, which moved every matrix by 0.01 a weight or so."""
    save(moved(model, -0.01), tmp_path / "raw")
    return str(tmp_path / "raw")


def test_only_the_least_similar_layers_are_projected(model: Model, view: View, raw: str) -> None:
    for count in (0, 5, 21):
        tuned = moved(model, 0.3)
        before = {name: matrix(layer).clone() for name, layer in linears(tuned.network).items()}
        SafeLora(unaligned=raw, layers=count).mend(tuned, model, view)
        changed = [
            name for name, layer in linears(tuned.network).items() if not torch.equal(matrix(layer), before[name])
        ]
        assert len(changed) == count


def test_the_threshold_decides(model: Model, view: View, raw: str) -> None:
    """No cosine is above 1, and none of a product with a positive semi-definite matrix is below 0."""
    for threshold, count in ((-1.0, 0), (1.0, 21)):
        tuned = moved(model, 0.3)
        before = of(tuned).clone()
        SafeLora(unaligned=raw, by="threshold", threshold=threshold).mend(tuned, model, view)
        assert torch.equal(of(tuned), before) == (count == 0)


def test_a_change_along_the_alignment_stays(model: Model, view: View, raw: str) -> None:
    """30 times the alignment's own step, forwards or backwards: the subspace cannot tell, and holds both."""
    for by in (0.3, -0.3):
        tuned = moved(model, by)
        before = of(tuned).clone()
        SafeLora(unaligned=raw, layers=21, projector="subspace", energy=1.0).mend(tuned, model, view)
        torch.testing.assert_close(of(tuned), before, atol=1e-5, rtol=0)


def test_without_an_unaligned_model_it_makes_one(model: Model, view: View) -> None:
    """By fine-tuning on harmful answers; the aligned model stays as it is, and twice gives the same."""
    kept, ends = copy.deepcopy(model.network.state_dict()), []
    for _ in range(2):
        tuned = moved(model, 0.3)
        SafeLora(layers=21).mend(tuned, model, view)
        ends.append(of(tuned))
    assert torch.equal(*ends)
    assert not torch.equal(ends[0], of(moved(model, 0.3)))
    assert all(torch.equal(kept[name], weight) for name, weight in model.network.state_dict().items())


def test_another_architecture_is_refused(model: Model, view: View) -> None:
    with pytest.raises(ModelError, match="the aligned model has other layers"):
        SafeLora().mend(model, tiny("tiny-gpt2"), view)
