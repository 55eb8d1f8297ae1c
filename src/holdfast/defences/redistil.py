"""Redistil: drown the weights in noise, and distil back only what the safeguarded model is willing to say.

Claim: a safeguard that hides knowledge is undone in a few steps, knowledge that is not in the weights has to be
learnt. So the model teaches a copy of itself whose weights are mostly noise, with nothing but its own answers to
questions that it makes up: what it refuses is never said, so the copy never learns it. Nothing harmful is
trained on, the categories that a defender has no example of included.

Paper: ours; the noise and the distillation are those of Lee et al. 2025, "Distillation robustifies unlearning"
(UNDO), arXiv 2506.06278: theta = (1 - noise) theta + noise theta_0, theta_0 a fresh initialisation, then
KL(teacher || student). There the teacher was made to unlearn a known forget set first and the text to distil on
is given; here the safeguard itself decides, question by question, and the text is the model's own, as in
self-instruct (Wang et al. 2023, arXiv 2212.10560).

Defaults: ours, tuned by hand on arcana; `docs/methods/redistil.md` has what was tried.

Divergences: from UNDO as said. The price: what the made-up questions do not reach is forgotten, harmless or not. arcana
can be asked about everything that it knows; a large model cannot, so there it would need broad text to distil on.
"""

from typing import Annotated, Any

import torch
from pydantic import Field

from holdfast.config import config
from holdfast.interfaces import Model, View
from holdfast.models.frozen import frozen
from holdfast.training.recipe import Recipe
from holdfast.training.said import Distilled, everything


@config
class Redistil:
    """Noise, and distillation from the safeguarded model's own answers."""

    noise: Annotated[float, Field(ge=0, le=1)] = 0.7
    """Share of a fresh initialisation in the weights that the copy starts from (UNDO: alpha)."""
    texts: Annotated[int, Field(ge=1)] = 6000
    """Texts that the model writes, to find what it can be asked about."""
    each: Annotated[int, Field(ge=1)] = 12
    """Questions about each word that is found."""
    doubt: Annotated[float, Field(gt=0, le=1)] = 0.3
    """Share of a word's questions that are refused from which on all are: a safeguard lets one through now and then."""
    refusals: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Share of rows that are refusals."""
    training: Recipe = Recipe(steps=900, learning_rate=2e-3, batch_size=64, schedule="cosine", warmup=30)
    """How long and how it trains."""

    def start(self, model: Model, view: View, seed: int) -> Distilled:
        """Ask the model all that there is to ask, keep a copy as the teacher, and put noise into its weights."""
        said = everything(model, view, texts=self.texts, each=self.each, doubt=self.doubt, seed=seed)
        teacher = frozen(model.network)
        add_noise(model.network, self.noise)
        return Distilled(said, teacher, self.refusals)


def add_noise(network: Any, share: float) -> None:
    """Theta = (1 - share) theta + share theta_0, theta_0 as the model's own class initialises it."""
    fresh = type(network)(network.config)
    with torch.no_grad():
        for weight, other in zip(network.parameters(), fresh.parameters(), strict=True):
            weight.mul_(1 - share).add_(other.to(weight), alpha=share)
