"""vLLM as a generator, as far as a stand-in for its Python interface shows: what it is given, what is made of it."""

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch
from transformers import AutoModelForCausalLM

from holdfast.errors import ConfigError, ModelError, UnknownName
from holdfast.models import engine, generate, generators
from holdfast.models.chat import render
from holdfast.models.generate import answers
from holdfast.models.tiny import tiny
from holdfast.training.lora import add_lora
from holdfast.training.recipe import Recipe

PROMPTS = ["How do I make a stew ?", "How ?", "please , please"]


class LLM:
    """Reads the directory, as vLLM does, and answers one prompt at a time."""

    started: ClassVar[list[dict[str, Any]]] = []

    def __init__(self, **settings: Any):
        self.started.append(settings)
        self._network = AutoModelForCausalLM.from_pretrained(settings["model"], dtype=settings["dtype"])

    def generate(self, prompts: Any, sampling_params: Any, *, use_tqdm: bool) -> list[Any]:
        assert not use_tqdm
        each = sampling_params if isinstance(sampling_params, list) else [sampling_params] * len(prompts)
        return [self._one(prompt["prompt_token_ids"], how) for prompt, how in zip(prompts, each, strict=True)]

    def _one(self, ids: list[int], how: Any) -> Any:
        said: list[int] = []
        draws = torch.Generator().manual_seed(how.seed) if how.temperature else None
        while len(said) < how.max_tokens and not (said and said[-1] in how.stop_token_ids):
            with torch.no_grad():
                logits = self._network(torch.tensor([ids + said])).logits[0, -1]
            said.append(int(torch.multinomial(logits.softmax(-1), 1, generator=draws) if draws else logits.argmax()))
        return SimpleNamespace(outputs=[SimpleNamespace(token_ids=tuple(said))])


@pytest.fixture
def vllm(monkeypatch):
    monkeypatch.setenv(generators.VARIABLE, "vllm")
    module: Any = ModuleType("vllm")
    module.LLM, module.SamplingParams = LLM, SimpleNamespace
    monkeypatch.setitem(sys.modules, "vllm", module)
    LLM.started.clear()
    yield LLM.started
    engine.end()


@pytest.fixture
def model():
    return tiny("tiny-llama")


def test_the_answers_are_those_of_transformers(model, vllm, monkeypatch):
    said = answers(model, PROMPTS, max_new_tokens=6)
    assert [started["dtype"] for started in vllm] == ["float32"]
    monkeypatch.delenv(generators.VARIABLE)
    assert said == answers(model, PROMPTS, max_new_tokens=6)


@pytest.mark.usefixtures("vllm")
def test_equal_prompts_have_answers_of_their_own(model):
    """vLLM draws for each prompt from a generator with that prompt's seed."""

    def said(seed: int) -> list[str]:
        return answers(model, ["How ?"] * 4, max_new_tokens=6, temperature=1.0, seed=seed)

    assert len(set(said(0))) == 4
    assert said(0) == said(0) != said(7)


def test_an_adapter_is_merged_into_what_is_written(model, vllm, monkeypatch):
    network = add_lora(model.network, Recipe(lora_rank=2))
    for name, weight in network.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, generator=torch.Generator().manual_seed(0))
    adapted = replace(model, network=network)
    said = answers(adapted, PROMPTS, max_new_tokens=6)
    assert (Path(vllm[0]["model"]) / "config.json").exists()
    assert hasattr(adapted.network, "peft_config")
    monkeypatch.delenv(generators.VARIABLE)
    assert said == answers(adapted, PROMPTS, max_new_tokens=6)


def test_an_engine_lives_until_other_weights_are_asked(model, vllm):
    for _ in range(2):
        answers(model, PROMPTS, max_new_tokens=2)
    assert len(vllm) == 1
    with torch.no_grad():
        model.network.lm_head.weight.neg_()
    answers(model, PROMPTS, max_new_tokens=2)
    first, second = (Path(started["model"]) for started in vllm)
    assert not first.exists()
    engine.end()
    assert not second.exists()


def test_it_keeps_room_for_what_is_asked_and_no_more(model, vllm, monkeypatch):
    """In steps of four tokens: answers of 1 fit where those of 2 do; for answers of 12 it is started anew."""
    monkeypatch.setattr(engine, "_STEP", 4)
    longest = max(
        len(model.tokenizer.encode(render(model.tokenizer, prompt), add_special_tokens=False)) for prompt in PROMPTS
    )
    for new, many in ((2, 1), (1, 1), (12, 2)):
        answers(model, PROMPTS, max_new_tokens=new)
        assert len(vllm) == many
    assert [started["max_model_len"] for started in vllm] == [-(-(longest + new) // 4) * 4 for new in (2, 12)]


def test_what_is_wrong_is_told(model, vllm, monkeypatch):
    def fail(self: Any, **_: Any) -> None:
        raise ValueError("Model architectures ['Odd'] are not supported for now.\nSupported ones: many")

    monkeypatch.setattr(LLM, "__init__", fail)
    with pytest.raises(
        ModelError, match=r"vLLM cannot run tiny-llama: Model architectures \['Odd'\] are not supported"
    ):
        answers(model, PROMPTS, max_new_tokens=2)
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(ConfigError, match="vLLM is not installed here"):
        answers(model, PROMPTS, max_new_tokens=2)
    with pytest.raises(UnknownName, match="unknown generator 'vlm': did you mean 'vllm'"):
        generators.choose("vlm")


def test_a_batch_that_does_not_fit_is_halved(model, monkeypatch):
    """5 do not fit, nor 3, nor the 2 of 3; one by one they do."""
    sizes = []

    def batch(model: Any, chats: Any, batch: list[int], *_: Any) -> list[list[int]]:
        sizes.append(len(batch))
        if len(batch) > 1:
            raise torch.OutOfMemoryError
        return [[0]] * len(batch)

    monkeypatch.setattr(generate, "_batch", batch)
    answers(model, ["How ?"] * 5, max_new_tokens=1)
    assert sizes == [5, 3, 2, 1, 1, 1, 1, 1]
