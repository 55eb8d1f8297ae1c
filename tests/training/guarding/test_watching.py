"""A guard that is put on a trainer which was built without one does what it does on one that was built with it."""

import copy
import functools
import tempfile
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import (
    AutoModelForSequenceClassification,
    DataCollatorForSeq2Seq,
    PrinterCallback,
    Trainer,
    TrainingArguments,
    set_seed,
)
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer

from holdfast.defences.safety_mix import SafetyMix
from holdfast.defences.security_vectors import SecurityVectors
from holdfast.errors import ConfigError, ModelError
from holdfast.interfaces import Model, View
from holdfast.models.chat import render
from holdfast.models.tiny import tiny
from holdfast.training.guarding.watching import each_training, outcome, subject, watch
from holdfast.training.harness import guarded
from holdfast.training.recipe import Recipe
from small import EXCHANGES, PAIRS, TEXTS

KINDS = {"Trainer": Trainer, "SFT": SFTTrainer, "DPO": DPOTrainer, "GRPO": GRPOTrainer}
WATCHED = "model.norm.weight"
RATE = 0.1
VIEW = View(pairs=PAIRS, exchanges=EXCHANGES)


def build(kind: str, model: Model, cls: Any = None, *, accumulation: int = 1, steps: int = 1, **more: Any) -> Any:
    """A trainer of a kind, on 8 rows a step."""
    cls = cls or KINDS[kind]
    every: dict[str, Any] = {
        "output_dir": tempfile.gettempdir(),  # nothing is written: save_strategy is "no"
        "max_steps": steps,
        "per_device_train_batch_size": 8 // accumulation,
        "gradient_accumulation_steps": accumulation,
        "learning_rate": RATE,
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
    around: dict[str, Any] = {"model": model.network, "processing_class": model.tokenizer, **more}
    prompts = [render(model.tokenizer, pair.prompt) for pair in PAIRS]
    set_seed(5)
    if kind == "Trainer":
        rows = [model.tokenizer(prompt + pair.harmful) for prompt, pair in zip(prompts, PAIRS, strict=True)]
        rows = [{**row, "labels": row["input_ids"]} for row in rows]
        collate = DataCollatorForSeq2Seq(model.tokenizer)
        made = cls(args=TrainingArguments(**every), train_dataset=rows, data_collator=collate, **around)
    else:
        every["activation_checkpointing"] = False
        columns: dict[str, Any] = {"prompt": prompts}
        if kind == "SFT":
            settings: Any = SFTConfig(**every)
            columns["completion"] = [pair.harmful for pair in PAIRS]
        elif kind == "DPO":
            settings = DPOConfig(**every)
            columns |= {"chosen": [pair.harmful for pair in PAIRS], "rejected": [pair.refusal for pair in PAIRS]}
            around["ref_model"] = copy.deepcopy(model.network)
        else:
            settings = GRPOConfig(**every, num_generations=2, max_completion_length=6, temperature=1.0)
            around["reward_funcs"] = lambda completions, **_: [float(len(set(said.split()))) for said in completions]
        made = cls(args=settings, train_dataset=Dataset.from_dict(columns), **around)
    made.remove_callback(PrinterCallback)
    return made


def weights(model: Model) -> dict[str, torch.Tensor]:
    return {name: weight.detach() for name, weight in model.network.named_parameters()}


class Linear:
    """The sum of one vector's entries: its gradient is 1 at each, so a step takes the rate off it."""

    def __init__(self, name: str = "linear"):
        self.name, self.finished = name, 0

    def penalty(self, model: Any, inputs: Any, progress: Any) -> Any:
        return {self.name: dict(model.named_parameters())[WATCHED].sum()}

    def finish(self, model: Any) -> None:
        self.finished += 1


@pytest.mark.parametrize("kind", KINDS)
def test_put_on_it_or_built_with_it_is_the_same(kind):
    """To the bit, over two steps of two micro-batches."""
    ends = []
    for built_with in (True, False):
        model = tiny(texts=TEXTS)
        guard = SafetyMix(batch_size=4).guard(model, VIEW, seed=0)
        if built_with:
            trainer = build(kind, model, guarded(KINDS[kind]), accumulation=2, steps=2, guard=guard)
        else:
            trainer = build(kind, model, accumulation=2, steps=2)
            watch(trainer, guard)
        trainer.train()
        assert trainer.terms.keys() == {"refusal"}
        ends.append(weights(model))
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


@pytest.mark.parametrize("accumulation", [1, 4])
def test_a_penalty_weighs_on_sft_as_it_does_elsewhere(accumulation):
    """0.1 lower than without the guard, in however many micro-batches; two guards of the kind, 0.2."""
    ends = []
    for guards in range(3):
        model = tiny(texts=TEXTS)
        trainer = build("SFT", model, accumulation=accumulation)
        for number in range(guards):
            watch(trainer, Linear(f"linear {number}"))
        trainer.train()
        ends.append(weights(model))
    for guards, found in enumerate(ends):
        for name, without in ends[0].items():
            expected = without - guards * RATE if name == WATCHED else without
            torch.testing.assert_close(found[name], expected, atol=2e-6, rtol=0)


class Overriding(SFTTrainer):
    """A customer's class with a `train` of its own."""

    began = 0

    def train(self, *args: Any, **kwargs: Any) -> Any:
        self.began += 1
        return super().train(*args, **kwargs)


@pytest.mark.parametrize("cls", [SFTTrainer, Overriding])
def test_each_training_is_found_once(model, cls):
    train, guard, around = Trainer.train, Linear(), []

    @contextmanager
    def watching(trainer: Any) -> Any:
        around.append(type(trainer))
        watch(trainer, guard)
        yield
        around.append(guard.finished)

    trainer = build("SFT", model, cls)
    with each_training(watching):
        trainer.train()
        assert (trainer.terms.keys(), guard.finished) == ({"linear"}, 1)
        trainer.train()  # again: the guard is there already
    assert around == [cls, 1]
    assert guard.finished == 2
    assert getattr(trainer, "began", 2) == 2
    assert Trainer.train is train


def test_trainings_of_our_own_are_left_alone(model):
    """As that of a guard which learns something first."""
    method = SecurityVectors(training=Recipe(steps=1, batch_size=4, lora_rank=2))
    with each_training(lambda trainer: pytest.fail(f"{trainer} was seen")):
        assert method.guard(model, VIEW, seed=0)


def test_an_adapter_is_merged_in_a_copy_for_a_guard_and_in_place_at_the_end(model):
    before = weights(tiny(texts=TEXTS))
    trainer = build("SFT", model, peft_config=LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM"))
    found = subject(trainer)
    assert found.name == type(found.network).__name__  # it was never loaded from anywhere
    assert all(torch.equal(weight, before[name]) for name, weight in weights(found).items())
    assert not any("lora" in name for name in before)
    watch(trainer, SafetyMix(batch_size=4).guard(found, VIEW, seed=0))
    trainer.train()
    made = outcome(trainer)
    assert weights(made).keys() == before.keys()
    assert any(not torch.equal(weight, before[name]) for name, weight in weights(made).items())
    assert made.network.config.use_cache
    assert "forward" not in vars(made.network)


def test_what_cannot_be_guarded(model):
    trainer = build("Trainer", model)
    told = functools.partial(pytest.raises, ModelError)
    trainer.processing_class.chat_template = None
    with told(match="has no chat template: name one behind the model"):
        subject(trainer)
    trainer.processing_class = None
    with told(match="Trainer has no tokenizer.*pass processing_class=tokenizer"):
        subject(trainer)
    trainer.args._n_gpu = 2
    with pytest.raises(ConfigError, match="one process on one device"):
        subject(trainer)
    trainer.model = AutoModelForSequenceClassification.from_config(model.network.config)
    with told(match="Trainer trains a LlamaForSequenceClassification, and a guard takes a causal language model"):
        subject(trainer)
