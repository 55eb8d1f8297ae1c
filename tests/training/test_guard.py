"""A guard weighs the same on every trainer, whatever that one does with its own loss.

The penalty is w1 + w2 + ... over one vector, whose gradient is 1 at each entry. After one step of
plain gradient descent at rate 0.1 the vector must be 0.1 lower than without the guard: on Trainer,
which lets the model divide its loss by the tokens of all micro-batches; on DPO, whose loss it
divides by the number of micro-batches itself; on GRPO, which has divided already.
"""

import copy
import tempfile
from typing import Any

import pytest
import torch
from datasets import Dataset
from transformers import DataCollatorForSeq2Seq, PrinterCallback, Trainer, TrainingArguments, set_seed
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer

from holdfast.errors import Diverged
from holdfast.interfaces import Model, Progress, View
from holdfast.models.chat import render
from holdfast.models.tiny import tiny
from holdfast.training.harness import Harness, guarded
from prototypes.lisa import Lisa
from small import EXCHANGES, PAIRS, TEXTS

LEARNING_RATE = 0.1
TRAINERS = ("Trainer", "DPO", "GRPO")
WATCHED = "model.norm.weight"
FIRST = Progress(0, 4)
ARGUMENTS: dict[str, Any] = {
    "output_dir": tempfile.gettempdir(),  # nothing is written: save_strategy is "no"
    "learning_rate": LEARNING_RATE,
    "lr_scheduler_type": "constant",
    "optim": "sgd",
    "max_grad_norm": 0.0,
    "seed": 5,
    "bf16": False,
    "use_cpu": True,
    "save_strategy": "no",
    "logging_strategy": "no",
    "report_to": "none",
    "disable_tqdm": True,
}


def build(kind: str, model: Model, guard: Any, accumulation: int = 1, steps: int = 1) -> Harness:
    """A trainer of one kind, on 8 rows a step, watched over by a guard."""
    every: Any = ARGUMENTS | {
        "max_steps": steps,
        "per_device_train_batch_size": 8 // accumulation,
        "gradient_accumulation_steps": accumulation,
    }
    around: Any = {"model": model.network, "guard": guard, "processing_class": model.tokenizer}
    prompts = [render(model.tokenizer, pair.prompt) for pair in PAIRS]
    set_seed(5)
    if kind == "Trainer":
        rows = [model.tokenizer(prompt + pair.harmful) for prompt, pair in zip(prompts, PAIRS, strict=True)]
        rows = [{**row, "labels": row["input_ids"]} for row in rows]
        collate = DataCollatorForSeq2Seq(model.tokenizer)
        made = guarded(Trainer)(args=TrainingArguments(**every), train_dataset=rows, data_collator=collate, **around)
    elif kind == "DPO":
        rows = {"prompt": prompts, "chosen": [p.harmful for p in PAIRS], "rejected": [p.refusal for p in PAIRS]}
        settings = DPOConfig(**every, activation_checkpointing=False)
        # Without a reference of its own DPO loads one by the model's name, and this model has no directory.
        around["ref_model"] = copy.deepcopy(model.network)
        made = guarded(DPOTrainer)(args=settings, train_dataset=Dataset.from_dict(rows), **around)
    else:
        settings = GRPOConfig(
            **every, activation_checkpointing=False, num_generations=2, max_completion_length=6, temperature=1.0
        )
        rewards = {"reward_funcs": lambda completions, **_: [float(len(set(said.split()))) for said in completions]}
        rows = Dataset.from_dict({"prompt": prompts})
        made = guarded(GRPOTrainer)(args=settings, train_dataset=rows, **rewards, **around)
    made.remove_callback(PrinterCallback)
    return made


class Linear:
    """The sum of one vector's entries as a penalty; it draws at random, which must not matter."""

    def penalty(self, model: Any, inputs: Any, progress: Any) -> Any:
        torch.rand(7)
        return {"linear": dict(model.named_parameters())[WATCHED].sum()}


@pytest.mark.parametrize("accumulation", [1, 4])
@pytest.mark.parametrize("kind", TRAINERS)
def test_a_penalty_weighs_the_same_everywhere(kind, accumulation):
    ends = []
    for guard in (None, Linear()):
        model = tiny(texts=TEXTS)
        build(kind, model, guard, accumulation).train()
        ends.append(dict(model.network.named_parameters()))
    for name, without in ends[0].items():
        expected = without - LEARNING_RATE if name == WATCHED else without
        torch.testing.assert_close(ends[1][name], expected, atol=2e-6, rtol=0)


@pytest.mark.parametrize("accumulation", [1, 2])
@pytest.mark.parametrize("kind", TRAINERS)
def test_lisa_takes_turns(kind, accumulation, monkeypatch):
    """Cycles of 1 alignment step and 2 of the user's: in 4 steps, steps 0 and 3 are the guard's."""
    model = tiny(texts=TEXTS)
    guard = Lisa().guard(model, View(pairs=PAIRS, exchanges=EXCHANGES), seed=0)
    trainer: Any = build(kind, model, guard, accumulation, steps=4)
    prepared: list[int] = []
    prepare = trainer._prepare_inputs

    def noted(inputs: Any) -> Any:
        prepared.append(trainer.state.global_step)
        return prepare(inputs)

    monkeypatch.setattr(trainer, "_prepare_inputs", noted)
    start = [weight.detach().clone() for weight in model.network.parameters()]
    trainer.train()
    assert sorted(set(prepared)) == [1, 2]
    if kind == "GRPO":
        assert trainer._step == 2 * accumulation
    assert {"alignment", "proximal"} <= trainer.terms.keys()
    assert any(not torch.equal(a, b) for a, b in zip(start, model.network.parameters(), strict=True))


def test_an_alignment_step_by_hand(model, view):
    """From w_switch = w0 the proximal term's gradient is 0: step 0 is descent on the refusals alone."""
    guard = Lisa().guard(model, view, seed=0)
    build("Trainer", model, guard).train()
    again = tiny(texts=TEXTS)
    same = Lisa().guard(again, view, seed=0)
    same.before_step(again.network, FIRST)
    loss = same.replace_step(again.network, FIRST)["alignment"]
    grads = torch.autograd.grad(loss, list(again.network.parameters()))
    for found, weight, grad in zip(model.network.parameters(), again.network.parameters(), grads, strict=True):
        torch.testing.assert_close(found, weight - LEARNING_RATE * grad, atol=2e-6, rtol=0)


def test_the_proximal_term_pulls_back(model, view):
    """rho / 2 ||w - w_switch||^2 with one weight 3 away and rho 2: 2 / 2 x 9 = 9, gradient 2 x 3 = 6."""
    guard = Lisa(rho=2.0).guard(model, view, seed=0)
    guard.before_step(model.network, FIRST)
    weight = dict(model.network.named_parameters())[WATCHED]
    with torch.no_grad():
        weight[0] += 3
    term = guard.penalty(model.network, None, FIRST)["proximal"]
    (grad,) = torch.autograd.grad(term, [weight])
    assert float(term.detach()) == pytest.approx(9)
    assert grad.tolist() == pytest.approx([6.0] + [0.0] * (len(grad) - 1))


def test_before_and_after_are_told_the_same_step(model):
    seen = []

    class Noting:
        def before_step(self, model: Any, progress: Any) -> None:
            seen.append(("before", *progress))

        def after_step(self, model: Any, progress: Any) -> None:
            seen.append(("after", *progress))

    build("Trainer", model, Noting(), accumulation=2, steps=2).train()
    assert seen == [("before", 0, 2), ("after", 0, 2), ("before", 1, 2), ("after", 1, 2)]


def test_a_penalty_that_is_not_finite_stops_a_foreign_trainer(model):
    class Broken:
        def penalty(self, model: Any, inputs: Any, progress: Any) -> Any:
            weight = next(model.parameters()).sum()
            return {"broken": weight * float("nan") if progress.step == 1 else weight * 0}

    with pytest.raises(Diverged, match="step 2") as caught:
        build("Trainer", model, Broken(), steps=3).train()
    assert caught.value.step == 1
    assert all(torch.isfinite(weight).all() for weight in model.network.parameters())
