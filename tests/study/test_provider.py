"""Defences of a provider: a guard during the training, a mend of what came out of it."""

from typing import Any

import pytest
import torch

import holdfast
from holdfast.attacks.sft import Sft
from holdfast.config import config
from holdfast.errors import ConfigError
from holdfast.interfaces import Model, Progress, View
from holdfast.models.identity import weights_hash
from holdfast.study.cells import Cell
from holdfast.study.check import check
from holdfast.study.design import Study
from holdfast.study.plan import static
from holdfast.study.provider import Provided
from holdfast.training.recipe import Recipe
from small import FakeDomain

WATCHED = "model.norm.weight"
ATTACK = Sft(training=Recipe(steps=2, batch_size=4, optimiser="sgd", learning_rate=0.1, max_grad_norm=0.0))


@config
class Holds:
    """A guard that pulls one vector down: its penalty is the sum of its entries, so its gradient is 1 everywhere."""

    def guard(self, model: Model, view: View, seed: int) -> Any:
        assert {pair.key for pair in view.pairs}
        return self

    def penalty(self, model: Any, inputs: Any, progress: Progress) -> Any:
        return {"linear": dict(model.named_parameters())[WATCHED].sum()}


@config
class PutsBack:
    """Mends by giving one vector the value that it had."""

    def mend(self, model: Model, aligned: Model, view: View) -> None:
        with torch.no_grad():
            weights, before = (dict(one.network.named_parameters()) for one in (model, aligned))
            weights[WATCHED].copy_(before[WATCHED])


def attacked(model: Model, *provider: Any) -> tuple[Any, Any]:
    defences = [Provided(defence=one, domain=FakeDomain()) for one in provider]
    made, record = holdfast.attack(model, ATTACK, domain=FakeDomain(), ladder=(0, 1, 2), metrics=(), provider=defences)
    assert record.failure is None
    return dict(made.network.named_parameters())[WATCHED].detach(), record


def test_a_guard_by_hand(model):
    """Two steps at rate 0.1 with a gradient of 1 more: 0.2 lower in every entry, but for what follows of the first."""
    (plain, _), (guarded, record) = attacked(model), attacked(model, Holds())
    assert (plain - guarded).mean() == pytest.approx(0.2, rel=0.1)
    assert record.role == "defended"
    assert record.model == f"{model.name}+test_provider"
    assert record.defence["stage"] == "during"
    assert record.parent == record.weights == weights_hash(model.network)


def test_a_mend_sees_the_model_before(model):
    before = dict(model.network.named_parameters())[WATCHED].detach().clone()
    (plain, _), (mended, record) = attacked(model), attacked(model, PutsBack())
    assert not torch.equal(plain, before)
    assert torch.equal(mended, before)
    assert record.defence["stage"] == "after"


@pytest.mark.parametrize("in_place", [False, True])
def test_the_model_before_is_copied_where_it_is_changed(model, in_place):
    """Elsewhere it stays as it is, and a copy of a large one is as large."""
    seen: list[Any] = []

    @config
    class Sees:
        def mend(self, model: Model, aligned: Model, view: View) -> None:
            seen.append((aligned.network, weights_hash(aligned.network)))

    before = weights_hash(model.network)
    mender = Provided(defence=Sees(), domain=FakeDomain())
    holdfast.attack(model, ATTACK, domain=FakeDomain(), ladder=(2,), metrics=(), provider=[mender], in_place=in_place)
    assert {told for _, told in seen} == {before}
    assert all((network is model.network) is not in_place for network, _ in seen)


def test_both_at_once_are_told_in_their_order(model):
    _, record = attacked(model, Holds(), PutsBack())
    assert [stage["stage"] for stage in record.defence["stages"]] == ["during", "after"]


def test_what_acts_before_is_no_providers(model):
    with pytest.raises(ConfigError, match="adversarial acts before anybody fine-tunes"):
        holdfast.attack(model, ATTACK, domain=FakeDomain(), provider=["adversarial"])


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("lisa", r"acts while a model is trained.*holdfast guard"),
        ("antidote", r"acts on what has come out of a training.*holdfast mend"),
    ],
)
def test_what_acts_later_hardens_nothing(model, name, told):
    with pytest.raises(ConfigError, match=f"{name} {told}"):
        holdfast.harden(model, name, domain=FakeDomain())


def test_a_pipeline_of_all_stages_becomes_cells():
    """The first hardens; the others stand around every attack and every lesson on what it made."""
    study = Study(
        models=["tiny-llama"], defences=[["adversarial", "lisa", "antidote"]], attacks=["sft"], tasks=["inns"]
    )
    cells = static(study)
    own = [cell for cell in cells if cell.role == "defended"]
    assert {cell.verb for cell in own} == {"attack", "learn"}
    for cell in own:
        assert isinstance(cell.model, Cell)
        assert cell.model.method == "adversarial"
        assert [one.defence for one in cell.provider] == ["lisa", "antidote"]
        assert cell.name == "tiny-llama+adversarial+lisa+antidote"
    others = [cell for cell in cells if cell.role == "undefended"]
    assert not any(cell.provider for cell in others)
    assert len({cell.key for cell in cells}) == len(cells)


def test_stages_stand_in_their_order():
    study = Study(models=["tiny-llama"], defences=[["lisa", "adversarial"]], attacks=["sft"])
    with pytest.raises(ConfigError, match=r"defences\[0\]\[1\].*adversarial acts before fine-tuning.*put it in front"):
        check(study)
