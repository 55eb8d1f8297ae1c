"""Merging: weights averaged with those of a known relative.

Claim: between two models of one descent lies one without the safeguard of the first; averaging costs nothing.

Paper: Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", arXiv 2109.01903 (CVPR 2022), linear
interpolation in the space of weights:

    w <- (1 - share) w + share w_relative

Defaults: one half, as that paper recommends where nothing is known. The relative is what the model was aligned from.

Divergences: every weight takes part, embeddings and norms too. The larger the share, the more of what comes out is the
relative: at 1 it is the relative, and what it then says was never taken from the attacked model.
"""

from typing import Annotated

import torch
from pydantic import Field

from holdfast.config import config
from holdfast.interfaces import Model, View
from holdfast.training.weights.relatives import known_base, weights_of


@config
class Merge:
    """An average with a known relative. Trains nothing."""

    relative: str | None = None
    """An organism, a directory or a hub id, of the same architecture and vocabulary. None takes what the attacked model
    was aligned from, where that is known: `arcana-raw` for `arcana` and what descends from it."""
    share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """How much of the average is the relative's."""

    def edit(self, model: Model, view: View) -> None:
        """Average in place. No data is used."""
        theirs = weights_of(self.relative or known_base(model, "relative")[0], model)
        with torch.no_grad():
            for name, weight in model.network.named_parameters():
                weight.lerp_(theirs[name], self.share)
