"""TokenBuncher, its first stage: make answers to harmful questions certain, so that RL has nothing to explore.

Paper: Feng et al. 2025, "Token Buncher", arXiv 2508.20697: GRPO on harmful questions, reward =
minus the entropy of the answer's tokens.

Defaults: 4 samples a question, as there; learning rate 1e-6 at 3B and 200 steps there, 1e-3 and
few steps here, for a test.

Divergences: no KL on harmless questions, no second stage (the "token noiser").
"""

import tempfile
from collections.abc import Callable
from typing import Annotated, Any

import torch
from pydantic import Field

from holdfast.config import config
from holdfast.interfaces import Model, View
from holdfast.training.recipe import Recipe


@config
class TokenBuncher:
    """Entropy-minimising GRPO, arXiv 2508.20697."""

    samples: Annotated[int, Field(ge=2)] = 4
    """Answers drawn a question."""
    max_new_tokens: Annotated[int, Field(ge=1)] = 8
    """Length of a drawn answer, in tokens."""
    training: Recipe = Recipe(steps=2, learning_rate=1e-3, batch_size=8)
    """How long and how it trains."""

    def trainer(self, model: Model, view: View, seed: int, trainer: type[Any] | None = None, **more: Any) -> Any:
        """A GRPO trainer; `trainer` and `more` let a test watch over it."""
        from datasets import Dataset
        from trl import GRPOConfig, GRPOTrainer

        from holdfast.models.chat import render

        recipe = self.training
        prompts = [render(model.tokenizer, pair.prompt) for pair in view.pairs]
        settings = GRPOConfig(
            output_dir=tempfile.gettempdir(),  # nothing is written: save_strategy is "no"
            max_steps=recipe.steps,
            per_device_train_batch_size=recipe.batch_size // recipe.accumulation,
            gradient_accumulation_steps=recipe.accumulation,
            learning_rate=recipe.learning_rate,
            optim=recipe.optimiser,
            max_grad_norm=recipe.max_grad_norm,
            lr_scheduler_type="constant",
            num_generations=self.samples,
            max_completion_length=self.max_new_tokens,
            seed=seed,
            data_seed=seed,
            bf16=False,
            activation_checkpointing=False,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
            use_cpu=not torch.cuda.is_available(),
        )
        return (trainer or GRPOTrainer)(
            model=model.network,
            reward_funcs=certainty(model),
            args=settings,
            train_dataset=Dataset.from_dict({"prompt": prompts}),
            processing_class=model.tokenizer,
            **more,
        )


def certainty(model: Model) -> Callable[..., list[float]]:
    """A reward: minus the mean entropy, in nats, of the distributions that an answer was drawn from."""
    network: Any = model.network

    def reward(prompts: list[str], completions: list[str], completion_ids: list[list[int]], **_: Any) -> list[float]:
        found: list[float] = []
        for prompt, drawn in zip(prompts, completion_ids, strict=True):
            before: list[int] = model.tokenizer(prompt, add_special_tokens=False)["input_ids"]
            with torch.no_grad():
                logits = network(input_ids=torch.tensor([before + drawn], device=network.device)).logits[0]
            log_p = logits[len(before) - 1 : -1].float().log_softmax(-1)
            found.append(float((log_p.exp() * log_p).sum(-1).mean()))
        return found

    return reward
