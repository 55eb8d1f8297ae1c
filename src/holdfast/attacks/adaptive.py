r"""The adaptive attack: a step to the side of where the defence has put the weights, then fine-tuning from there.

Claim: defences obscure or misdirect the path to harm and leave harm itself where it was, so that an attacker who does
not start from exactly the point that was defended breaks every kind of them with one attack.

Paper: "One Step to the Side: Why Defenses Against Malicious Finetuning Fail Under Adaptive Adversaries", 2026, arXiv
2605.14605. Its text was not to be had: the abstract, from which the claim is, does not say what its attack consists of.
This is ours in its spirit, of steps each of which is known, or meant, to undo one kind of defence:

    theta' = canonical scale of theta;   theta'' = ablate(theta');   W <- W + noise * std(W) * N(0, 1);   fine-tune

Rescaling (`training.rescale`) is for defences by scale or convergence rate (arXiv 2602.18868; 1703.04933), ablation for
those that refuse by a direction (arXiv 2406.11717; 2605.26526), noise for flat or sharp places prepared around the
weights (Ash & Adams 2020, arXiv 1910.08475, "shrink and perturb"), harmless exchanges for defences that make harmful
steps destroy what else is known (SEAM, arXiv 2505.12186), warm-up for those that met attackers without it (TAR,
arXiv 2412.07097).

Defaults: ours, for arcana.

Divergences: from what the paper does, unknown. Ablation is kept only where the attacker's own data, harmful and
harmless together, then cost less than before (a defence may have moved refusal, so that its direction is another);
nothing else looks at which defence it is. Ablation and noise are found in the model as it comes and made when the first
step is taken, so that what is measured before it is the model before the attack. The few forward passes for that are
not in the budget.
"""

import random
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final

import torch
from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.errors import DataError
from holdfast.interfaces import Model, Progress, Row, View
from holdfast.models.postponed import postponed
from holdfast.training.aside import Aside
from holdfast.training.batches import Batch
from holdfast.training.framing import harmful
from holdfast.training.recipe import Recipe
from holdfast.training.rows import cycle
from holdfast.training.terms.answers import answer_loss
from holdfast.training.weights.matrices import linears, matrix

LOOKED_AT: Final = 64
"""Exchanges of either kind by which it is told whether a step helps."""


@config
class Adaptive:
    """Rescaling, ablation, noise, and fine-tuning on a mix, after arXiv 2605.14605."""

    rank: Annotated[int, Field(ge=0)] = 1
    """How many refusal directions are removed first; 0 leaves them."""
    noise: Annotated[float, Field(ge=0)] = 0.0
    """Standard deviation of the noise on each linear layer's weights, as a share of the layer's own."""
    benign: Annotated[float, Field(ge=0, lt=1)] = 0.3
    """The share of harmless exchanges in what it trains on."""
    training: Recipe = Recipe(steps=100, learning_rate=3e-4, batch_size=16, rescale=1)
    """How long and how it trains; `rescale` and `warmup` are steps of the attack, too."""

    PRESETS: ClassVar[dict[str, dict[str, Any]]] = {
        "lora": {"training.lora_rank": 16, "training.learning_rate": 1e-3},
    }

    def start(self, model: Model, view: View, seed: int) -> Aside:
        """Its loss, taken one step to the side. The recipe has rescaled the model by now."""
        return Aside(postponed(model.network, lambda: self._step_aside(model, view)), self.loss)

    def _step_aside(self, model: Model, view: View) -> None:
        if self.rank:
            from holdfast.models.refusal import ablate, refusal_direction  # it imports transformers

            if not view.exchanges:
                raise DataError("a refusal direction needs harmless questions, and there are none: set rank to 0.")
            asked = [pair.prompt for pair in view.pairs], [exchange.prompt for exchange in view.exchanges]
            found = refusal_direction(model, *asked, rank=self.rank)
            costs = [_cost(model, view)]
            remove = postponed(model.network, lambda: (ablate(model.network, found), costs.append(_cost(model, view))))
            if costs[1] < costs[0]:
                remove()
        for layer in linears(model.network).values() if self.noise else ():
            weight = matrix(layer)
            drawn = torch.randn(weight.shape)  # on the CPU, so that a seed draws the same on any device
            weight.add_(drawn.to(weight), alpha=self.noise * float(weight.std()))

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Harmful exchanges of the attacker's pairs, harmless ones between them by chance."""
        if self.benign and not view.exchanges:
            raise DataError("benign is above 0, but there are no harmless exchanges to mix in.")
        bad, good = cycle(view.pairs, seed), cycle(view.exchanges, seed + 1) if self.benign else iter(())
        rng = random.Random(seed + 2)
        while True:
            yield {"train": next(good) if rng.random() < self.benign else harmful(next(bad))}

    def loss(self, model: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """Cross-entropy of the answers."""
        return {"cross_entropy": answer_loss(model, batch["train"])}


def _cost(model: Model, view: View) -> float:
    """What the attacker wants to be low, in nats a token: harmful and harmless answers, of some of either."""
    from holdfast.training.feed import feed  # it imports transformers

    rows = [
        {"harmful": harmful(pair), "benign": exchange}
        for pair, exchange in zip(view.pairs[:LOOKED_AT], view.exchanges, strict=False)
    ]
    network: Any = model.network
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        with torch.no_grad():
            batch = next(feed(model, iter(rows), len(rows)))
            return sum(float(answer_loss(network, tokens)) for tokens in batch.values())
    finally:
        for module, mode in modes:
            module.training = mode
