"""A guard does the same on every trainer, whatever that one does with its own loss.

The linear penalty is w1 + w2 + ... over one vector, whose gradient is 1 at each entry. After one step of
plain gradient descent at rate 0.1 the vector must be 0.1 lower than without the guard: on Trainer,
which lets the model divide its loss by the tokens of all micro-batches; on DPO, whose loss it
divides by the number of micro-batches itself; on GRPO, which has divided already.
"""

import copy
import functools
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from datasets import Dataset
from transformers import DataCollatorForSeq2Seq, PrinterCallback, Trainer, TrainingArguments, set_seed
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer

from holdfast.config import replace
from holdfast.defences.kl import Kl
from holdfast.defences.lisa import Lisa
from holdfast.defences.refusal_nll import RefusalNll
from holdfast.defences.safety_mix import SafetyMix
from holdfast.defences.security_vectors import SecurityVectors
from holdfast.errors import Diverged
from holdfast.interfaces import Model, Progress, View
from holdfast.models.chat import render
from holdfast.models.tiny import tiny
from holdfast.training.harness import Harness, guarded
from holdfast.training.recipe import Recipe
from holdfast.training.run import apply
from holdfast.training.terms.answers import answer_loss
from small import EXCHANGES, PAIRS, TEXTS

LEARNING_RATE = 0.1
TRAINERS = ("Trainer", "DPO", "GRPO")
WATCHED = "model.norm.weight"
FIRST = Progress(0, 4)
VIEW = View(pairs=PAIRS, exchanges=EXCHANGES)
PULLING = (Lisa(), SafetyMix(share=0.75), RefusalNll(weight=0.1), Kl(refusal_weight=2.0, retain_weight=1.0))
"""Guards whose first step has a gradient of their own."""
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


def build(
    kind: str, model: Model, guard: Any, accumulation: int = 1, steps: int = 1, reference: Model | None = None
) -> Harness:
    """A trainer of one kind, on 8 rows a step, watched over by a guard; `reference` is DPO's."""
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
        around["ref_model"] = copy.deepcopy((reference or model).network)
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


@functools.cache
def unguarded(kind: str) -> dict[str, torch.Tensor]:
    """The weights after a step of 4 micro-batches without any guard."""
    model = tiny(texts=TEXTS)
    build(kind, model, None, accumulation=4).train()
    return {name: weight.detach() for name, weight in model.network.named_parameters()}


@pytest.mark.parametrize("kind", TRAINERS)
@pytest.mark.parametrize("method", PULLING, ids=lambda method: type(method).__name__)
def test_each_guard_pulls_by_its_own_gradient(method, kind):
    """A step of four micro-batches, two rows of the guard's in each, is descent on the terms of all eight rows.

    The guard starts from another model than it watches over, so that a distance to the start is not 0. Lisa's first
    step is its own alone, and from w_switch = w0 its proximal term has no gradient.
    """
    model, again = tiny(texts=TEXTS), tiny(texts=TEXTS)
    build(kind, model, replace(method, {"batch_size": 2}).guard(tiny(texts=TEXTS, seed=1), VIEW, seed=0), 4).train()
    same: Any = replace(method, {"batch_size": 8}).guard(tiny(texts=TEXTS, seed=1), VIEW, seed=0)
    if isinstance(method, Lisa):
        same.before_step(again.network, FIRST)
        terms, without = same.replace_step(again.network, FIRST), dict(again.network.named_parameters())
    else:
        terms, without = same.penalty(again.network, None, FIRST), unguarded(kind)
    weights: Any = dict(again.network.named_parameters())
    grads = torch.autograd.grad(sum(terms.values()), list(weights.values()))
    assert max(grad.abs().max().item() for grad in grads) > 1e-2
    for (name, found), grad in zip(model.network.named_parameters(), grads, strict=True):
        torch.testing.assert_close(found, without[name] - LEARNING_RATE * grad, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", TRAINERS)
def test_under_security_vectors_a_step_is_that_of_the_harmful_model(kind, model):
    """With change D active, w moves as w + D would; D itself stays out of it."""
    method = SecurityVectors(training=Recipe(steps=3, learning_rate=0.03, batch_size=4, lora_rank=2))
    guard, harmful = method.guard(model, VIEW, seed=0), harmed(method)
    changed = [copy.deepcopy(list(one.network.parameters())) for one in (model, harmful)]
    assert any(not torch.equal(mine, theirs) for mine, theirs in zip(*changed, strict=True))
    for one, watching in ((model, guard), (harmful, None)):
        build(kind, one, watching, accumulation=2, reference=tiny(texts=TEXTS)).train()
    ends = [list(one.network.parameters()) for one in (model, harmful)]
    moved = [[end - before for end, before in zip(*pair, strict=True)] for pair in zip(ends, changed, strict=True)]
    assert max(step.abs().max().item() for step in moved[0]) > 1e-4
    for mine, theirs in zip(*moved, strict=True):
        torch.testing.assert_close(mine, theirs, atol=2e-6, rtol=1e-4)
    assert not any(module._forward_hooks for module in model.network.modules())


def harmed(method: SecurityVectors) -> Model:
    """The model with the vectors merged into its weights, by training it as they are trained."""

    class Harmful:
        training = method.training

        def rows(self, view: View, seed: int) -> Iterator[Any]:
            return method.rows(view, seed)

        def loss(self, model: Any, batch: Any, progress: Any) -> Any:
            return {"harmful": answer_loss(model, batch["harmful"])}

    return apply(Harmful(), tiny(texts=TEXTS), VIEW, seed=0)


@pytest.mark.parametrize("accumulation", [1, 2])
@pytest.mark.parametrize("kind", TRAINERS)
def test_lisa_takes_turns(kind, accumulation, monkeypatch):
    """Cycles of 1 alignment step and 2 of the user's: in 4 steps, steps 0 and 3 are the guard's."""
    model = tiny(texts=TEXTS)
    guard = Lisa(alignment_steps=1, user_steps=2, batch_size=4).guard(model, VIEW, seed=0)
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
    finished = []

    class Broken:
        def finish(self, model: Any) -> None:
            finished.append(model)

        def penalty(self, model: Any, inputs: Any, progress: Any) -> Any:
            weight = next(model.parameters()).sum()
            return {"broken": weight * float("nan") if progress.step == 1 else weight * 0}

    with pytest.raises(Diverged, match="step 2") as caught:
        build("Trainer", model, Broken(), steps=3).train()
    assert caught.value.step == 1
    assert finished == [model.network]
    assert all(torch.isfinite(weight).all() for weight in model.network.parameters())
