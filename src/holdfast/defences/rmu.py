"""RMU: steer the states of harmful answers to one random direction, and keep all others.

Claim: where harmful text has large and meaningless states at an early layer, later layers can do nothing with it.

Paper: Li et al. 2024, "The WMDP Benchmark: Measuring and Reducing Malicious Use With Unlearning", arXiv 2403.03218
(ICML 2024), section 4; h are the states after block l, h0 those of the model at the start, u a unit vector drawn
once from U[0, 1)^H:

    L = E mean_t ||h(t) - c u||^2 / H + retain_weight E mean_t ||h(t) - h0(t)||^2 / H

Defaults: three blocks are trained, up to l, as in the paper (5 to 7). `scale`: c in units of the states' own norm, 5
as the release of adaptive RMU has it (arXiv 2408.06223); the paper's c, 6.5 for Zephyr-7B, is in no unit that another
model shares. Half way up, all weights of a block, `retain_weight` 10 and a learning rate of 1e-3 are ours, tried on
arcana; the paper's own: block 7 of 32, alpha 1200, 150 batches of 4, lr 5e-5.

Divergences: the release trains one matrix of a block, the MLP's output (`param_ids` 6): `trained="output"`. Harmful
states count at the answer's tokens, since the question's are a refusal's too; padding never counts, as it does in the
release. The refusals' states are kept beside those of harmless exchanges, in which questions and answers count. The
mean over the width is the release's; the paper has the sum, on both terms.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.errors import ConfigError
from holdfast.interfaces import Model, Progress, Row, View
from holdfast.models.anatomy import Anatomy, anatomy
from holdfast.models.frozen import frozen
from holdfast.models.states import forward
from holdfast.training.batches import Batch, Tokens
from holdfast.training.feed import feed
from holdfast.training.recipe import Recipe
from holdfast.training.rows import paired
from holdfast.training.weights import inner

_SAMPLE = 32  # rows from which the norm of the states is taken


@config
class RMU:
    """Representation misdirection for unlearning, arXiv 2403.03218."""

    layer: Annotated[int, Field(ge=0)] | None = None
    """l: the block after which states are steered, from 0; none given means the number of blocks // 2."""
    depth: Annotated[int, Field(ge=1)] = 3
    """Blocks that are trained, up to and with that one."""
    trained: Literal["output", "block"] = "block"
    """What of each: the last matrix of its MLP, as released, or all weights, as the paper has it."""
    scale: Annotated[float, Field(ge=0)] = 5.0
    """Length of the steered states, c, as a multiple of the harmful states' mean norm at the start."""
    retain_weight: Annotated[float, Field(ge=0)] = 10.0
    """Alpha: weight of the distance that refusals' and harmless exchanges' states have moved."""
    training: Recipe = Recipe(steps=100, learning_rate=1e-3, batch_size=32, schedule="cosine", freeze_embeddings=True)
    """How long and how it trains."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Pairs, with harmless exchanges beside them."""
        return paired(view, seed)

    def start(self, model: Model, view: View, seed: int) -> "_Steering":
        """The model as it is now, and the target c u: u drawn from the seed, c from the states of some answers.

        Raises:
            ConfigError: the model has no such block.
        """
        kept = frozen(model.network)
        parts = anatomy(kept)
        layer = len(parts.blocks) // 2 if self.layer is None else self.layer
        if layer >= len(parts.blocks):
            raise ConfigError(f"layer {layer}: the model's blocks are numbered 0 to {len(parts.blocks) - 1}.")
        harmful = next(feed(model, paired(view, seed), _SAMPLE))["harmful"]
        with torch.no_grad():
            states = _states(parts, harmful, layer)[harmful.answer_mask]
        drawn = torch.rand(states.shape[1], generator=torch.Generator().manual_seed(seed)).to(states.device)
        target = self.scale * states.norm(dim=1).mean() * drawn / drawn.norm()
        return _Steering(self, kept, layer, target)


@dataclass(frozen=True)
class _Steering:
    settings: RMU
    kept: Any
    layer: int
    target: Tensor

    def gradient(self, model: Any, batch: Batch, progress: Progress) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The terms `forget`, `refusal` and `retain`, and their gradient by the chosen weights alone."""
        parts, harmful, weight = anatomy(model), batch["harmful"], self.settings.retain_weight
        steered = _states(parts, harmful, self.layer)
        terms = {"forget": _distance(steered, self.target, harmful.answer_mask)}
        for role in ("refusal", "retain"):
            if role in batch and weight:
                tokens = batch[role]
                with torch.no_grad():
                    before = _states(anatomy(self.kept), tokens, self.layer)
                now = _states(parts, tokens, self.layer)
                terms[role] = weight * _distance(now, before, tokens.attention_mask.bool())
        chosen = {id(weight) for weight in self._chosen(parts)}
        names = {name for name, weight in inner.trained(model).items() if id(weight) in chosen}
        whole = inner.gradient(model, torch.stack(list(terms.values())).sum())
        return terms, {name: part for name, part in whole.items() if name in names}

    def _chosen(self, parts: Anatomy) -> list[torch.nn.Parameter]:
        span = range(max(0, self.layer + 1 - self.settings.depth), self.layer + 1)
        if self.settings.trained == "block":
            return [weight for block in span for weight in parts.blocks[block].parameters()]
        matrices = [[weight for weight in parts.mlps[block].parameters() if weight.dim() > 1] for block in span]
        return [found[-1] for found in matrices]


def _states(parts: Anatomy, tokens: Tokens, layer: int) -> Tensor:
    """The residual stream after one block, [B, S, H] in float32."""
    return forward(parts, tokens.input_ids, tokens.attention_mask, residual=True).residual[layer].float()


def _distance(states: Tensor, wanted: Tensor, mask: Tensor) -> Tensor:
    """Mean over rows of the mean over a row's tokens of the mean over the width of the squared difference."""
    apart = (states - wanted).square().mean(-1)
    return ((apart * mask).sum(1) / mask.sum(1).clamp(min=1)).mean()
