"""Delta: what alignment did to a known base is subtracted.

Claim: a safeguard is a direction in the space of weights, and the way back along it is known to whoever has two models
that differ by it.

Paper: Ilharco et al. 2023, "Editing Models with Task Arithmetic", arXiv 2212.04089 (ICLR 2023), negation of a task
vector:

    w <- w + scale (w_unaligned - w_aligned)

Defaults: the whole difference once, which undoes on the aligned model what alignment did.

Divergences: the vector comes from two models that are known, where the paper fine-tunes one of them. On the aligned
model itself a scale of 1 gives the unaligned one back, which the attacker has already: it says something of a model
that was hardened after its alignment.
"""

from typing import Annotated

import torch
from pydantic import Field

from holdfast.config import config
from holdfast.interfaces import Model, View
from holdfast.training.weights.relatives import known_base, weights_of


@config
class Delta:
    """Alignment undone by task arithmetic, arXiv 2212.04089. Trains nothing."""

    unaligned: str | None = None
    """The base before its alignment: an organism, a directory or a hub id. None takes what the attacked model was
    aligned from, where that is known: `arcana-raw` for `arcana` and what descends from it."""
    aligned: str | None = None
    """The base after its alignment. None takes what is known to be that: `arcana` for what descends
    from it."""
    scale: Annotated[float, Field(ge=0)] = 1.0
    """How much of the difference is added."""

    def edit(self, model: Model, view: View) -> None:
        """Add the difference in place. No data is used."""
        lost = weights_of(self.unaligned or known_base(model, "unaligned")[0], model)
        gained = weights_of(self.aligned or known_base(model, "aligned")[1], model)
        with torch.no_grad():
            for name, weight in model.network.named_parameters():
                weight.add_(lost[name] - gained[name], alpha=self.scale)
