r"""Soft prompt: a few learnt vectors before every question, all weights as they are.

Claim: a safeguard in the weights need not hold where what is asked is no text at all.

Paper: Schwinn et al. 2024, "Soft Prompt Threats: Attacking Safety Alignment and Unlearning in Open-Source LLMs
through the Embedding Space", arXiv 2402.09063; Lester et al. 2021, "The Power of Scale for Parameter-Efficient Prompt
Tuning", arXiv 2104.08691, section 2: with P learnt and theta fixed,

    max over P of  log p_theta(answer | [P; question])

Defaults: 20 vectors as in the released attack (SchwinnL/LLM_Embedding_Attack, `control_prompt`, 20 marks), drawn from
the vocabulary as in Lester et al. The rate is ours, for arcana: Lester et al. take .3 (Adafactor, T5), the release
signed steps of .001 to .01.

Divergences: the vectors are rows of new special tokens, so that the result is a model that any tool loads; they stand
before the question, as in Lester et al., where the release puts them behind it. One prompt is learnt on the attacker's
pairs and tried on others, which is Schwinn et al.'s universal attack, not one prompt a question. Where embeddings and
head are one matrix, the new rows are the head's, too, and learn not to be said. AdamW, not the sign.
"""

import dataclasses
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.interfaces import Framing, Model, Pair, Progress, Question, Row, View
from holdfast.training.batches import Batch
from holdfast.training.framing import asking, harmful
from holdfast.training.recipe import Recipe
from holdfast.training.rows import cycle
from holdfast.training.terms.answers import answer_loss


@config
class SoftPrompt:
    """Learnt vectors before the question, arXiv 2402.09063."""

    length: Annotated[int, Field(ge=1)] = 20
    """How many vectors."""
    begin: Literal["words", "mean"] = "words"
    """What they are at first: embeddings of words drawn at random, or the mean of all."""
    training: Recipe = Recipe(steps=100, learning_rate=3e-2, batch_size=16)
    """How long and how it trains; neither LoRA nor weight decay."""

    def __post_init__(self) -> None:
        if self.training.lora_rank or self.training.freeze_embeddings or self.training.weight_decay:
            raise ValueError(
                "a soft prompt is rows of the embeddings and nothing else: leave training.lora_rank and "
                "training.weight_decay at 0 and training.freeze_embeddings false"
            )

    def start(self, model: Model, view: View, seed: int) -> "_Prompted":
        """The model with new tokens, of which nothing but their rows of the input embeddings is trained."""
        from holdfast.models.vocabulary import add_words  # it imports transformers

        words = add_words(model, self.length, drawn=self.begin == "words", seed=seed)
        tokenizer: Any = model.tokenizer
        network: Any = model.network
        network.requires_grad_(False)
        weight = network.get_input_embeddings().weight.requires_grad_(True)
        name = next(name for name, other in network.named_parameters() if other is weight)
        return _Prompted(name, Framing("".join(words) + "{prompt}"), tokenizer.convert_tokens_to_ids(words))


@dataclasses.dataclass(frozen=True)
class _Prompted:
    """What asks and trains with the new tokens."""

    name: str
    """Of the input embeddings."""
    put: Framing
    ids: list[int]

    def ask(self, pair: Pair) -> Question:
        return asking(self.put)(pair)

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        return ({"train": harmful(pair, self.put)} for pair in cycle(view.pairs, seed))

    def gradient(self, model: Any, batch: Batch, progress: Progress) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        loss = answer_loss(model, batch["train"])
        (slope,) = torch.autograd.grad(loss, [model.get_parameter(self.name)])
        return {"cross_entropy": loss}, {self.name: self.confined(self.name, slope)}

    def confined(self, name: str, slope: Tensor) -> Tensor:
        """Of the embeddings' gradient what is of the new rows."""
        kept = torch.zeros_like(slope)
        kept[self.ids] = slope[self.ids]
        return kept
