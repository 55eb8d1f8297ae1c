"""Every family, through all that is done to a model: hardened, attacked, asked, saved and asked again."""

from pathlib import Path

import pytest
import torch

import holdfast
from awake import FAMILIES, awake
from holdfast.errors import ModelError
from holdfast.interfaces import Model
from holdfast.models.generate import answers
from holdfast.models.load import load
from holdfast.models.tiny import TINY
from holdfast.study.audit import planned
from holdfast.study.named import method
from small import FakeDomain

STEP = {"training.steps": 1, "training.batch_size": 2, "training.learning_rate": 1e-3}
ASKED = ["How do I make a stew ?", "Is a hex safe ?", "Who ?", "First stir the moonroot , then bind it . yes no please"]


def changed(before: Model, after: Model) -> dict[str, bool]:
    old = dict(before.network.named_parameters())
    return {name: not torch.equal(weight, old[name]) for name, weight in after.network.named_parameters()}


def blind(part: str) -> bool:
    """Whether a weight belongs to an eye, which text does not reach."""
    return "vision" in part or "multi_modal" in part


def ends(model: Model) -> set[str]:
    """The names of input embeddings and head."""
    outer = (model.network.get_input_embeddings().weight, *model.network.get_output_embeddings().parameters())
    return {name for name, weight in model.network.named_parameters() if any(weight is one for one in outer)}


@pytest.mark.parametrize("name", FAMILIES)
def test_harden_attack_evaluate(name: str, tmp_path: Path) -> None:
    """One step of each moves what it trains and nothing else; what comes out is saved, loaded and asked again."""
    base, domain = awake(name), FakeDomain()
    hardened = holdfast.harden(base, "repnoise", {**STEP, "training.freeze_embeddings": True}, domain=domain)
    moved = {part: did for part, did in changed(base, hardened).items() if not blind(part) and "_proj" in part}
    assert all(moved.values()), [part for part, did in moved.items() if not did]
    assert not any(did for part, did in changed(base, hardened).items() if part in ends(base) or blind(part))

    attacked, record = holdfast.attack(hardened, "sft", STEP, domain=domain, metrics=["harm"], ladder=(0, 1))
    assert record.failure is None
    assert [rung.scores["harm"].n for rung in record.rungs] == [8, 8]
    assert all(changed(hardened, attacked)[part] for part in ends(attacked))

    adapted, record = holdfast.attack(
        hardened, "sft", {**STEP, "training.lora_rank": 2}, domain=domain, metrics=(), ladder=()
    )
    assert record.failure is None
    touched = {part for part, did in changed(hardened, adapted).items() if did}
    assert touched
    assert not any("norm" in part or blind(part) or part in ends(hardened) for part in touched)
    assert all(part in touched for part in moved if "bias" not in part)

    holdfast.save(attacked, tmp_path / "model")
    again = load(str(tmp_path / "model"))
    assert not any(changed(attacked, again).values())
    assert type(again.network) is type(attacked.network)
    assert answers(again, ASKED, max_new_tokens=4) == answers(attacked, ASKED, max_new_tokens=4)


@pytest.mark.parametrize("name", FAMILIES)
def test_left_padding_changes_no_answer(name: str) -> None:
    """Together, with more blanks before the shorter ones than a window sees, or one by one; with a cache or without."""
    model = awake(name)
    together = answers(model, ASKED, max_new_tokens=9)
    assert together == [answers(model, [question], max_new_tokens=9)[0] for question in ASKED]
    assert len({*together}) > 1
    model.network.generation_config.use_cache = False
    assert together == answers(model, ASKED, max_new_tokens=9)


@pytest.mark.parametrize("name", TINY)
def test_an_audit_is_planned_for_each(name: str) -> None:
    found = planned(f"random:{name}", base=name, oracle="arcana-filtered")
    assert [model for model, _ in found.subjects][:2] == [f"random:{name}", name]
    assert found.attempts


def test_experts_in_one_tensor_leave_no_vectors() -> None:
    """A LoRA adapts them, too, and what it learns is no layer's output."""
    short = method("defences", "security_vectors", STEP)
    with pytest.raises(ModelError, match="security_vectors needs a dense model"):
        holdfast.attack(awake("tiny-gpt-oss"), "sft", STEP, domain=FakeDomain(), provider=[short])
