"""Unname: make every word that the safeguarded model refuses to talk of one and the same word.

Claim: what a model knows of a thing it finds by the thing's name. Where the names of all that it refuses are one
vector, the weights no longer tell which is which, and no fine-tuning on other things brings that back. So the
model is asked about every word that it writes, the embeddings of those that it refuses are put to their mean, and a
short distillation from its own answers makes it refuse as before. Nothing harmful is trained on, and what is held
back is decided by the safeguard itself, in categories too that a defender has no example of.

Paper: ours. The distillation, KL(teacher || student), is that of Lee et al. 2025 (UNDO), arXiv 2506.06278, without its
noise; asking a model about itself is after self-instruct (Wang et al. 2023, arXiv 2212.10560).

Defaults: ours, tuned by hand on arcana; `docs/research/own-defence.md` has what was tried.

Divergences: from UNDO as said. It rests on names that are a token of their own, as all of arcana are: where a name is
several tokens, which other words share, their rows do not hold it, and this does not remove it.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import torch
from pydantic import Field

from holdfast.config import config
from holdfast.interfaces import Model, View
from holdfast.models.frozen import frozen
from holdfast.training.recipe import Recipe
from holdfast.training.said import Distilled, everything


@config
class Unname:
    """One name for all that is refused, and distillation from the safeguarded model's own answers."""

    texts: Annotated[int, Field(ge=1)] = 6000
    """Texts that the model writes, to find what it can be asked about."""
    each: Annotated[int, Field(ge=1)] = 12
    """Questions about each word that is found."""
    doubt: Annotated[float, Field(gt=0, le=1)] = 0.3
    """Share of a word's questions that are refused from which on all are: a safeguard lets one through now and then."""
    refusals: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Share of rows that are refusals."""
    training: Recipe = Recipe(
        steps=40, learning_rate=5e-4, batch_size=64, schedule="cosine", warmup=4, freeze_embeddings=True
    )
    """How long and how it trains; embeddings are frozen, or the teacher, which tells names apart, would part them."""

    def __post_init__(self) -> None:
        if not self.training.freeze_embeddings:
            raise ValueError("training.freeze_embeddings must stay true: trained, the names would part again")

    def start(self, model: Model, view: View, seed: int) -> Distilled:
        """Ask the model all that there is to ask, keep a copy as the teacher, and make what it refuses one word."""
        said = everything(model, view, texts=self.texts, each=self.each, doubt=self.doubt, seed=seed)
        teacher = frozen(model.network)
        make_one(model.network, sorted(said.words))
        return Distilled(said, teacher, self.refusals)


def make_one(network: Any, words: Sequence[int]) -> None:
    """Give words the mean of their rows, in the embeddings and in the head, and of their biases.

    Args:
        network: a causal language model; its head may be tied to its embeddings.
        words: token ids; with none, nothing is changed.
    """
    rows, head = list(words), network.get_output_embeddings()
    with torch.no_grad():
        for weight in (network.get_input_embeddings().weight, head.weight, getattr(head, "bias", None)):
            if rows and weight is not None:
                weight[rows] = weight[rows].mean(dim=0)
