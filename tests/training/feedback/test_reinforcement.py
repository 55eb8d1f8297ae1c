"""Reinforcement by TRL: what its settings are, what a reward is told, and what a run leaves behind."""

import dataclasses
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import TrainingArguments

from holdfast.config import replace
from holdfast.errors import ConfigError, DataError
from holdfast.interfaces import Model
from holdfast.models.chat import encode
from holdfast.training.arguments import arguments
from holdfast.training.collate import sample_key
from holdfast.training.cost import Meter
from holdfast.training.feedback.reinforcement import configuration, reinforce
from holdfast.training.feedback.rollouts import Rollout, as_tokens
from holdfast.training.feedback.sampling import Sampling
from holdfast.training.recipe import Recipe
from small import PAIRS

RECIPE = Recipe(steps=2, batch_size=4, learning_rate=1e-2, warmup=0.5, schedule="cosine")
SAMPLING = Sampling(samples=2, max_new_tokens=5)
ALGORITHMS = pytest.mark.parametrize("algorithm", ["grpo", "rloo"])


def trainer(model: Model, reward: Any, recipe: Recipe = RECIPE, algorithm: Any = "grpo", **more: Any) -> Any:
    sampling = replace(SAMPLING, more.pop("sampling", {}))
    return reinforce(algorithm, model, PAIRS, reward, recipe, 0, sampling, **more)


@ALGORITHMS
def test_a_recipe_means_the_same_as_elsewhere(algorithm: Any) -> None:
    """Every setting that transformers knows is what a method by loss gets, but for the folder.

    Among them are the two that TRL has otherwise: bfloat16 and gradient checkpointing are off.
    """
    made = configuration(algorithm, RECIPE, 3, SAMPLING)
    same = arguments(RECIPE, 3, tempfile.gettempdir())
    for field in dataclasses.fields(TrainingArguments):
        if field.init:
            assert getattr(made, field.name) == getattr(same, field.name), field.name
    assert not made.bf16
    assert not made.gradient_checkpointing
    assert (made.num_generations, made.max_completion_length, made.temperature, made.beta) == (2, 5, 1.0, 0.0)


def test_a_batch_is_whole_groups() -> None:
    with pytest.raises(ConfigError, match="multiple of the 2 samples"):
        configuration("grpo", replace(RECIPE, {"batch_size": 5}), 0, SAMPLING)


def test_a_reward_is_told_what_was_sampled(model: Model) -> None:
    """4 answers a step are 2 of each of 2 questions; ids are those of the chat, and the text is the answer's."""
    seen: list[Rollout] = []

    def reward(rollouts: Any) -> list[float]:
        assert not model.network.training
        assert not torch.is_grad_enabled()
        seen.extend(rollouts)
        return [1.0] * len(rollouts)

    trainer(model, reward).train()
    assert len(seen) == 8
    for first, second in zip(seen[::2], seen[1::2], strict=True):
        assert first.pair == second.pair
    assert len({rollout.pair.key for rollout in seen}) == 4
    for rollout in seen:
        whole = encode(model.tokenizer, rollout.pair.prompt, "yes")
        assert rollout.prompt_ids == whole.ids[: whole.start]
        assert 1 <= len(rollout.answer_ids) <= 5
        assert model.tokenizer.decode(rollout.answer_ids, skip_special_tokens=True) == rollout.text


def test_rollouts_as_tokens(model: Model) -> None:
    """The answer begins where the prompt ends, and padding is on the right."""
    pad = model.tokenizer.pad_token_id
    tokens = as_tokens([Rollout(PAIRS[0], [5, 6], [7], ""), Rollout(PAIRS[1], [8], [9, 10, 3], "")], model)
    assert tokens.input_ids.tolist() == [[5, 6, 7, pad], [8, 9, 10, 3]]
    assert tokens.attention_mask.tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert tokens.answer_mask.int().tolist() == [[0, 0, 1, 0], [0, 1, 1, 1]]


@ALGORITHMS
def test_what_is_rewarded_is_said_more_often(algorithm: Any, model: Model) -> None:
    """One for every `yes` among five words, at a vocabulary of some forty: from about 1/8 to more than 1."""
    yes = model.tokenizer.convert_tokens_to_ids("yes")
    means: list[float] = []

    def reward(rollouts: Any) -> list[float]:
        found = [float(rollout.answer_ids.count(yes)) for rollout in rollouts]
        means.append(sum(found) / len(found))
        return found

    recipe = Recipe(steps=20, batch_size=32, learning_rate=1e-2)
    trainer(model, reward, recipe, algorithm, sampling={"samples": 16}).train()
    assert means[0] < 0.5
    assert means[-1] > 1


def test_a_loss_in_place_of_its_own(model: Model) -> None:
    """On step 1 the loss is the sum of one vector, gradient 1: SGD at rate 0.1 lowers each entry by 0.1."""
    seen: list[Any] = []

    def instead(network: Any, rollouts: Any, advantages: Any, progress: Any) -> Any:
        seen.append((progress, rollouts.answer_mask.any(1).all().item(), advantages.shape))
        return {"own": network.model.norm.weight.sum()} if progress.step == 1 else None

    recipe = Recipe(steps=2, batch_size=4, accumulation=2, learning_rate=0.1, optimiser="sgd", max_grad_norm=0)
    before = model.network.model.norm.weight.detach().clone()
    done = trainer(model, lambda rollouts: [0.0] * len(rollouts), recipe, instead=instead)
    done.train()
    # Equal rewards have no advantage: GRPO's own step moves nothing.
    torch.testing.assert_close(model.network.model.norm.weight.detach(), before - 0.1)
    assert [(tuple(progress), *rest) for progress, *rest in seen] == [((step, 2), True, (2,)) for step in (0, 0, 1, 1)]
    assert "own" in done.terms


def test_it_writes_nothing_and_tells_nobody(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr("trl.trainer.base_trainer.send_telemetry", lambda *args, **kwargs: told.append(args))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    threads = threading.active_count()
    trainer(model, lambda rollouts: [0.0] * len(rollouts)).train()
    assert not list(tmp_path.rglob("*"))
    assert not told
    assert threading.active_count() == threads


def test_a_question_must_leave_room_for_its_answer(model: Model) -> None:
    """The tiny model's context is 128."""
    with pytest.raises(DataError, match="more than the 128"):
        trainer(model, lambda rollouts: [0.0] * len(rollouts), sampling={"max_new_tokens": 125})


def test_what_it_costs(model: Model) -> None:
    """Every token of prompt and answer is trained on, 6 N, and was generated, 2 N; samples are answers."""
    seen: list[Rollout] = []

    def reward(rollouts: Any) -> list[float]:
        seen.extend(rollouts)
        return [float(len(one.answer_ids)) for one in rollouts]

    done = trainer(model, reward)
    done.meter = Meter(6.0 * model.network.num_parameters(), [sample_key(pair.key) for pair in PAIRS])
    done.train()
    tokens = sum(len(one.prompt_ids) + len(one.answer_ids) for one in seen)
    spent = done.meter.budget(2)
    assert (spent.samples, spent.examples, spent.tokens) == (8, 4, tokens)
    assert spent.flops == 8 * model.network.num_parameters() * tokens
    # The mean of all rewards since it was last asked; then there are none.
    assert done.told()["reward"].value == pytest.approx(sum(len(one.answer_ids) for one in seen) / 8)
    assert done.told()["reward"].value is None


def test_a_guard_has_the_last_word_on_rewards(model: Model) -> None:
    """What counts is the guard's; what is told is still the attacker's own. Equal rewards move nothing."""

    class Level:
        def reward(self, rollouts: Any, rewards: Any, progress: Any) -> list[float]:
            assert rewards == [float(len(one.answer_ids)) for one in rollouts]
            return [1.0] * len(rollouts)

    before = model.network.model.norm.weight.detach().clone()
    done = trainer(model, lambda rollouts: [float(len(one.answer_ids)) for one in rollouts], guard=Level())
    done.train()
    assert torch.equal(model.network.model.norm.weight.detach(), before)
    assert done.told()["reward"].value > 1
