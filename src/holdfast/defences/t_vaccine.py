"""T-Vaccine: Vaccine at the blocks that harmful text touches most, the others left as they are.

Claim: a few blocks carry the safety of a model; to perturb and to train only those costs less
memory and withstands harmful fine-tuning better than to perturb all.

Paper: Liu et al. 2024, "Targeted Vaccine: Safety Alignment for Large Language Models against
Harmful Fine-Tuning via Layer-wise Perturbation", arXiv 2410.09760, Algorithm 1: every K steps

    p_l = ||grad_{e_l} h|| / sum_k ||grad_{e_k} h||

with h the loss of harmful answers and e_l the output of the attention in block l; gamma blocks are
drawn without replacement, block l with chance p_l, and Vaccine's step (arXiv 2402.01109) perturbs
and trains those alone.

Defaults: `radius` 3 is the README's; `share` a quarter is its 8 of 32 blocks
(script/alignment/T-Vaccine.sh). `draw_every` and `probe_every` are ours: 20 and 200 there, in
thousands of steps. Its recipe is for 7B: LoRA of rank 8, lr 1e-3, cosine, 10 % warm-up, AdamW with
decay 0.1, 20 epochs at batch 10.

Divergences: a row's own perturbation and unperturbed harmless exchanges, as in `vaccine` here. The
number of blocks is a share of them. A block that was not drawn rests whole, and what is in no block
always does; the released code freezes the adapters of the attention alone, and those of the MLPs go
on wherever the gradient reaches them. A look takes `probe_rows` harmful answers, one there.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import numpy as np
from pydantic import Field
from torch import Tensor, nn

from holdfast.config import config
from holdfast.interfaces import Model, Progress, Row, View
from holdfast.models.anatomy import Anatomy, anatomy
from holdfast.models.perturb import slopes
from holdfast.training.batches import Batch
from holdfast.training.guarding.refusals import refusals
from holdfast.training.recipe import Recipe
from holdfast.training.rows import paired
from holdfast.training.terms.answers import answer_loss
from holdfast.training.terms.withstand import withstand

Weight = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


@config
class TVaccine:
    """Targeted Vaccine, arXiv 2410.09760."""

    radius: Weight = 3.0
    """Rho: length of the perturbation, over the drawn blocks and all tokens together."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.25
    """Gamma over the number of blocks: how many of them are drawn, at least one."""
    draw_every: Count = 1
    """Steps between two draws of the blocks."""
    probe_every: Count = 10
    """K: steps between two looks at the harmful gradient."""
    probe_rows: Count = 8
    """Harmful answers of one look."""
    shared: bool = False
    """Whether the perturbation's length is that over all rows of a batch, as released, or of each row."""
    retain_weight: Weight = 1.0
    """Weight of the cross-entropy on harmless exchanges; 0, as in the paper, leaves them out."""
    training: Recipe = Recipe(steps=100, learning_rate=3e-4, batch_size=32, schedule="cosine", freeze_embeddings=True)
    """How long and how it trains."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Refusals, with harmless exchanges beside them."""
        return refusals(view, seed, retain=True)

    def start(self, model: Model, view: View, seed: int) -> "_Targeted":
        """The method with harmful answers of its own to look at, and its dice."""
        from holdfast.training.feed import feed  # its Collator imports transformers

        harmful = ({"harmful": row["harmful"]} for row in paired(view, seed + 2))
        return _Targeted(self, feed(model, harmful, self.probe_rows), np.random.default_rng(seed))


class _Targeted:
    """T-Vaccine on the way: which blocks are drawn at present, and with what chances."""

    def __init__(self, settings: TVaccine, probes: Iterator[Batch], dice: np.random.Generator):
        self._settings = settings
        self._probes = probes
        self._dice = dice
        self._step = -1
        self.chances = np.zeros(0)
        self.drawn: list[int] = []

    def gradient(self, model: Any, batch: Batch, progress: Progress) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Vaccine's gradient at the drawn blocks; the other weights get none, and so no step."""
        settings, parts = self._settings, anatomy(model)
        if progress.step != self._step:
            self._look(model, parts, progress.step)
            self._step = progress.step
        attentions = parts.attentions
        with _only(model, [parts.blocks[place] for place in self.drawn]):
            return withstand(
                model,
                [attentions[place] for place in self.drawn],
                batch,
                radius=settings.radius,
                shared=settings.shared,
                retain_weight=settings.retain_weight,
            )

    def _look(self, model: Any, parts: Anatomy, step: int) -> None:
        if step % self._settings.probe_every == 0 or not len(self.chances):
            probe = next(self._probes)["harmful"]
            norms = [float(slope.norm()) for slope in slopes(parts.attentions, lambda: answer_loss(model, probe))]
            self.chances = np.maximum(norms, 1e-12) / np.maximum(norms, 1e-12).sum()
        if step % self._settings.draw_every == 0 or not self.drawn:
            blocks = len(parts.blocks)
            count = max(1, round(self._settings.share * blocks))
            drawn = self._dice.choice(blocks, count, replace=False, p=self.chances)
            self.drawn = sorted(int(place) for place in drawn)


@contextmanager
def _only(network: nn.Module, modules: Sequence[nn.Module]) -> Generator[None]:
    """Within, no weight outside these modules is trained."""
    kept = {id(weight) for module in modules for weight in module.parameters()}
    resting = [weight for weight in network.parameters() if weight.requires_grad and id(weight) not in kept]
    for weight in resting:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in resting:
            weight.requires_grad_(True)
