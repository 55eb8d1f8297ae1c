"""Layer injection: new blocks between those of the model, and only these are trained.

Claim: whatever a defence did to the scale or the curvature of the weights, it did not do to weights that it has never
seen; the price is a model that is larger by those.

Paper: Rosati et al. 2026, "Limits of Convergence-Rate Control for Open-Weight Safety", arXiv 2602.18868: an attacker
who may add to the model restores fast convergence at a linear increase in its size. Blocks that begin as the identity:
Wu et al. 2024, "LLaMA Pro", arXiv 2401.02415, section 3.2 (copies with zeroed output projections, the rest frozen).

Defaults: a copy after every block (both papers are linear in depth; LLaMA Pro has one copy for every four blocks). Rate
and batch are those of `sft` here.

Divergences: the text of 2602.18868 was read in its abstract and in summaries only; its layer may be another than a
whole block. Copies take over what a defence did to the scale of the copied weights: `weights=drawn` does not.
"""

from collections.abc import Iterator
from typing import Any, Literal

from torch import Tensor

from holdfast.config import config
from holdfast.interfaces import Model, Progress, Row, View
from holdfast.training.batches import Batch
from holdfast.training.framing import harmful
from holdfast.training.recipe import Recipe
from holdfast.training.rows import cycle
from holdfast.training.terms.answers import answer_loss


@config
class LayerInjection:
    """Trains blocks of its own, arXiv 2602.18868."""

    after: tuple[int, ...] = ()
    """The blocks that are followed by a new one, from 0, or from -1 backwards; none means every block."""
    weights: Literal["copied", "drawn"] = "copied"
    """What a new block has but for its outputs, which are zero: the weights of the block before it, or random ones."""
    trained: Literal["new", "all"] = "new"
    """Which weights are trained."""
    training: Recipe = Recipe(steps=100, learning_rate=3e-4, batch_size=16)
    """How long and how it trains."""

    def __post_init__(self) -> None:
        if self.training.lora_rank and self.trained == "new":
            raise ValueError("new blocks are trained whole: leave training.lora_rank at 0, or set trained to all")

    def start(self, model: Model, view: View, seed: int) -> "LayerInjection":
        """The same function, with more blocks."""
        from holdfast.models.anatomy import anatomy
        from holdfast.models.blocks import inject  # it imports transformers

        network: Any = model.network
        every = range(len(anatomy(network).blocks))
        new = inject(network, self.after or every, drawn=self.weights == "drawn")
        if self.trained == "new":
            network.requires_grad_(False)
            for block in new:
                block.requires_grad_(True)
        return self

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Harmful exchanges of the attacker's pairs."""
        return ({"train": harmful(pair)} for pair in cycle(view.pairs, seed))

    def loss(self, model: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """Cross-entropy of the answers."""
        return {"cross_entropy": answer_loss(model, batch["train"])}
