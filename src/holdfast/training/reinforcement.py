"""Reinforcement: GRPO by TRL, set up from a Recipe; it writes no file, asks no network and reports to nobody."""

import dataclasses
import functools
import itertools
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor
from transformers import PrinterCallback, TrainingArguments

from holdfast.errors import ConfigError, DataError
from holdfast.interfaces import Model, Progress
from holdfast.methods import Guard
from holdfast.models.chat import context_length, render
from holdfast.training.batches import Tokens
from holdfast.training.harness import Harness, guarded
from holdfast.training.recipe import Recipe
from holdfast.training.rows import cycle
from holdfast.training.run import arguments


class Rollout(NamedTuple):
    """One answer that the policy gave."""

    question: int
    """Which of the questions it answers."""
    prompt_ids: list[int]
    answer_ids: list[int]
    """Its tokens, the end mark included where it came to an end."""
    text: str


Reward: TypeAlias = Callable[[Sequence[Rollout]], Sequence[float]]
"""One number for each of the rollouts; what counts is how they differ among the answers to one question."""

Instead: TypeAlias = Callable[[Any, Tokens, Tensor, Progress], "Mapping[str, Tensor] | None"]
"""(model, rollouts, their advantages [B], progress) -> named terms in place of GRPO's loss on that batch, or None."""


def configuration(recipe: Recipe, seed: int, *, samples: int, max_new_tokens: int, temperature: float = 1.0) -> Any:
    """A recipe as a `trl.GRPOConfig`. `batch_size` counts answers: `samples` of each question.

    GRPO as in Shao et al. 2024, arXiv 2402.03300: advantages are rewards less the mean of the group, divided by its
    standard deviation; one update a batch of rollouts, hence no clipping in effect. No KL to a reference: that needs a
    second network, which a guard can bring.

    Args:
        recipe: how long and how it trains.
        seed: decides what is sampled.
        samples: answers drawn a question, the group.
        max_new_tokens: the longest answer.
        temperature: of the sampling.

    Raises:
        ConfigError: `samples` does not divide the batch, TRL is not there, or the recipe asks for what this cannot do.
    """
    if recipe.batch_size % samples:
        raise ConfigError(f"batch_size {recipe.batch_size} must be a multiple of the {samples} samples a question.")
    if recipe.lora_rank or recipe.rescale:
        raise ConfigError("reinforcement trains every weight as it is: lora_rank and rescale must be 0.")
    # Checkpoints and logs are off, so that nothing is ever written there.
    common = arguments(recipe, seed, tempfile.gettempdir())
    known = {field.name: getattr(common, field.name) for field in dataclasses.fields(TrainingArguments) if field.init}
    return _trl().GRPOConfig(
        **known,
        num_generations=samples,
        max_completion_length=max_new_tokens,
        temperature=temperature,
        top_p=1.0,
        top_k=0,
        beta=0.0,
        num_iterations=1,
        loss_type="dapo",
        scale_rewards="group",
        shuffle_dataset=False,  # the questions come in the order of training
    )


def reinforce(
    model: Model,
    questions: Sequence[str],
    reward: Reward,
    recipe: Recipe,
    seed: int,
    *,
    samples: int,
    max_new_tokens: int,
    temperature: float = 1.0,
    guard: Guard | None = None,
    instead: Instead | None = None,
) -> Harness:
    """A GRPO trainer around `model.network`, ready for `train()`.

    Args:
        model: the policy. Its network is put back by whoever trains it, as `training.run.apply` does.
        questions: what users say; each is rendered through the model's chat.
        reward: scores rollouts.
        recipe, seed, samples, max_new_tokens, temperature: as for `configuration`.
        guard: watches over the training.
        instead: may put a loss of its own on the rollouts in place of GRPO's.

    Raises:
        ConfigError: as for `configuration`.
        DataError: there are no questions.
    """
    settings = configuration(recipe, seed, samples=samples, max_new_tokens=max_new_tokens, temperature=temperature)
    from datasets import Dataset

    asked = itertools.islice(cycle(range(len(questions)), seed), recipe.steps * (recipe.batch_size // samples))
    rows = [{"prompt": [{"role": "user", "content": questions[at]}], "question": at} for at in asked]
    if recipe.freeze_embeddings:
        whole: Any = model.network
        for ends in (whole.get_input_embeddings(), whole.get_output_embeddings()):
            ends.requires_grad_(False)
    trainer = _trainer()(
        model=model.network,
        reward_funcs=_told(reward, model.network, _prompts(model, questions, max_new_tokens)),
        args=settings,
        train_dataset=Dataset.from_list(rows),
        processing_class=model.tokenizer,
        guard=guard,
    )
    trainer.instead = instead
    trainer.remove_callback(PrinterCallback)
    return trainer


def as_tokens(rollouts: Sequence[Rollout], model: Model) -> Tokens:
    """Rollouts in one padded block, on the model's device, their keys in order."""
    device: Any = model.network.device
    pairs = [(torch.tensor(one.prompt_ids), torch.tensor(one.answer_ids)) for one in rollouts]
    return _padded([(asked.to(device), said.to(device)) for asked, said in pairs], model.tokenizer.pad_token_id)


def _padded(rows: Sequence[tuple[Tensor, Tensor]], pad: Any) -> Tokens:
    """Prompt and answer of each row end to end, padded on the right."""
    ids = [torch.cat(row) for row in rows]
    answer = [torch.cat([torch.zeros_like(asked), torch.ones_like(said)]) for asked, said in rows]
    pad_to = functools.partial(torch.nn.utils.rnn.pad_sequence, batch_first=True)
    return Tokens(
        input_ids=pad_to(ids, padding_value=pad),
        attention_mask=pad_to([torch.ones_like(row) for row in ids]),
        answer_mask=pad_to(answer).bool(),
        keys=torch.arange(len(rows), device=ids[0].device),
    )


def _prompts(model: Model, questions: Sequence[str], max_new_tokens: int) -> list[list[int]]:
    """The tokens that each question is put in."""
    tokenizer: Any = model.tokenizer
    found: list[list[int]] = [
        tokenizer(render(tokenizer, asked), add_special_tokens=False)["input_ids"] for asked in questions
    ]
    context = context_length(model.network)
    for asked, ids in zip(questions, found, strict=True):
        if context is not None and len(ids) + max_new_tokens > context:
            raise DataError(
                f"the prompt that begins {asked[:60]!r} has {len(ids)} tokens; with an answer of {max_new_tokens} that "
                f"is more than the {context} of the model's context: shorten it or leave it out."
            )
    return found


def _told(reward: Reward, network: Any, prompt_ids: Sequence[list[int]]) -> Callable[..., list[float]]:
    """A reward as TRL calls it, with the policy in evaluation mode meanwhile and without gradients."""

    def reward_of(
        completions: list[Any], completion_ids: list[list[int]], question: list[int], **_: Any
    ) -> list[float]:
        said = [completion[0]["content"] for completion in completions]
        rollouts = [
            Rollout(at, prompt_ids[at], ids, text) for at, ids, text in zip(question, completion_ids, said, strict=True)
        ]
        was_training = network.training
        network.eval()
        try:
            with torch.no_grad():
                return [float(value) for value in reward(rollouts)]
        finally:
            network.train(was_training)

    return reward_of


@functools.cache
def _trainer() -> Any:
    """TRL's GRPO trainer in the harness, without its news to its makers."""
    base: Any = _trl().GRPOTrainer

    class Reinforcement(base):
        instead: Instead | None = None

        def _send_telemetry(self) -> None:
            """TRL tells its makers of every run; this one does not."""

        def compute_loss(self, model: Any, inputs: Any, **more: Any) -> Tensor:
            terms = self.instead and self.instead(model, self._rolled(inputs), inputs["advantages"], self.progress)
            if terms is None:
                return super().compute_loss(model, inputs, **more)
            return self._sum(terms) / self.current_gradient_accumulation_steps

        def _rolled(self, inputs: Any) -> Tokens:
            prompts, answers = (
                [ids[mask.bool()] for ids, mask in zip(inputs[f"{part}_ids"], inputs[f"{part}_mask"], strict=True)]
                for part in ("prompt", "completion")
            )
            return _padded(list(zip(prompts, answers, strict=True)), self.processing_class.pad_token_id)

    made: Any = Reinforcement
    return guarded(made)


def _trl() -> Any:
    try:
        import trl
    except ImportError as error:
        raise ConfigError(f"TRL is not installed ({error}): pip install 'holdfast[rl]'.") from error
    return trl
