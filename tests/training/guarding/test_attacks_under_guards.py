"""Guards around attacks of every shape: what they add acts, and what they take over costs the attacker nothing."""

from typing import Any

import pytest
import torch

import holdfast
from holdfast import plugins
from holdfast.config import build, fields
from holdfast.interfaces import Model
from holdfast.models.identity import weights_hash
from small import FakeDomain

SHORT = {
    "training.steps": 3,
    "training.batch_size": 4,
    "training.learning_rate": 1e-2,
    "sampling.samples": 2,
    "sampling.max_new_tokens": 4,
    "reward.kind": "model",
    "reward.training.steps": 1,
}
# A soft prompt stands in no text of a guard's, so that nothing there has a gradient by it.
TRAINING = [name for name in plugins.names("attacks") if hasattr(plugins.find("attacks", name)(), "training")]
TRAINING.remove("soft_prompt")


def short(name: str, **more: Any) -> Any:
    cls = plugins.find("attacks", name)
    known = fields(cls)
    return build(cls, {field: value for field, value in {**SHORT, **more}.items() if field in known})


def run(model: Model, name: str, *guards: str, **more: Any) -> Any:
    attack = short(name, **more)
    return holdfast.attack(model, attack, domain=FakeDomain(), provider=list(guards), ladder=(1, 2, 3), metrics=())


@pytest.mark.parametrize("name", TRAINING)
def test_a_penalty_acts_on_every_attack(name: str, model: Model) -> None:
    plain, _ = run(model, name)
    guarded, record = run(model, name, "refusal_nll")
    assert record.failure is None
    assert weights_hash(plain.network) != weights_hash(guarded.network)


@pytest.mark.parametrize("guard", ["refusal_nll", "lisa"])
def test_what_is_not_trained_stays_under_a_guard(guard: str, model: Model) -> None:
    """A soft prompt is rows of the embeddings: a guard's gradient moves no other row."""
    made, _ = run(model, "soft_prompt", guard, length=3, begin="words")
    before = model.network.get_input_embeddings().weight
    after = made.network.get_input_embeddings().weight
    assert torch.equal(after[: len(before)], before)
    assert len(after) == len(before) + 3


@pytest.mark.parametrize("name", ["sft", "dpo", "grpo"])
def test_steps_that_a_guard_takes_cost_the_attacker_nothing(name: str, model: Model) -> None:
    """lisa aligns in steps 1 and 2, and lets the third through: one step's samples."""
    _, record = run(model, name, "lisa")
    samples = [rung.budget.samples for rung in record.rungs]
    assert samples == [0, 0, 4]
