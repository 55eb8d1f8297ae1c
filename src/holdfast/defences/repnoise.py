"""RepNoise: make the representations of harmful answers noise, at every layer.

Claim: where harmful text leaves no information in any layer's representation, fine-tuning cannot
quickly bring it back.

Paper: Rosati et al. 2024, "Representation Noising", arXiv 2405.14577 (NeurIPS 2024), Algorithm 1:

    L = L_stability + beta * mean_l MMD2(h_l, eps_l) - alpha * log(L_ascent)

with L_ascent the mean over layers of the cross-entropy that the head reads off each layer.

Naming: equations 4 and 5 of the paper call the noise weight alpha and the ascent weight beta; its
Algorithm 1, its grids and the released code do the opposite. Here they are `noise_weight` and
`ascent_weight`.

Defaults: ours, tuned on arcana for as much delay as it gives at a permitted recall of .95. The
paper's (section 4: noise 0.001, ascent 1, lr 2e-5) are for 7B; its authors say that a grid search
"is always required".

Divergences: `variant="corrected"` mends the defects of the released code; `docs/methods/repnoise.md`
lists each with the test that holds it. Harmless exchanges beside the refusals, embeddings and head
left as they are, and an ascent that ends at ln V are ours. `variant="released"` is the loss of
domenicrosati/representation-noising, defects included, for replication.
"""

import math
import random
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from holdfast.config import config
from holdfast.defences._repnoise_released import released_loss
from holdfast.errors import ConfigError, DataError
from holdfast.interfaces import Progress, Row, View
from holdfast.models.anatomy import Anatomy, anatomy
from holdfast.models.states import forward
from holdfast.training.batches import Batch, Tokens, together
from holdfast.training.recipe import Recipe
from holdfast.training.rows import paired
from holdfast.training.terms.head import head_loss
from holdfast.training.terms.losses import Targets, cross_entropy, keyed_noise, mmd, targets

Weight = Annotated[float, Field(ge=0)]


@config
class RepNoise:
    """Representation noising, arXiv 2405.14577."""

    noise_weight: Weight = 0.1
    """Weight of the distance of harmful representations to noise (Algorithm 1: beta)."""
    ascent_weight: Weight = 0.1
    """Weight of the harmful answers' cross-entropy, which is maximised (Algorithm 1: alpha)."""
    retain_weight: Weight = 1.0
    """Weight of the cross-entropy on harmless exchanges; 0, as in the paper, leaves them out."""
    variant: Literal["corrected", "released"] = "corrected"
    """`released` is the authors' code to the digit, and heeds only the two weights and the recipe."""
    layers: tuple[int, ...] | None = None
    """Blocks to noise and to ascend at, counted from 0; none given means all."""
    noised: Literal["mlp", "residual"] = "mlp"
    """What is made noise: each MLP's output, as in the paper, or the residual stream after each block."""
    sample: Literal["token", "sequence"] = "token"
    """A point of the MMD: an answer token's state, or as in the paper an answer's states end to end."""
    scaled: bool = True
    """Whether noise has the activations' own root mean square, layer by layer, in place of 1."""
    layerwise_ascent: bool = True
    """Whether the ascent reads every layer through the head, or the last alone."""
    ascent_layers_per_step: Annotated[int, Field(ge=1)] | None = None
    """How many of the layers the ascent reads a step, drawn anew each step; none given means all. Their mean is an
    unbiased estimate of the mean over all, though its logarithm is not; it spares most of the cost of a large
    vocabulary. Every micro-batch of a step has the same layers."""
    log_ascent: bool = True
    """Whether the ascent is on log(1 + cross-entropy), as in the release, or on the cross-entropy."""
    bounded: bool = True
    """Whether a token's ascent ends at ln V nats, what guessing gives."""
    mask: Literal["answer", "differing"] = "answer"
    """Harmful tokens that count: all of the answer's, or those that differ from the refusal's."""
    training: Recipe = Recipe(steps=100, learning_rate=3e-4, batch_size=32, schedule="cosine", freeze_embeddings=True)
    """How long and how it trains."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Pairs, with harmless exchanges beside them."""
        return paired(view, seed)

    def loss(self, model: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """The terms `refusal`, `retain`, `noise` and `ascent`, each with its weight, from one forward pass."""
        parts = anatomy(model)
        if self.variant == "released":
            return released_loss(parts, batch, self.noise_weight, self.ascent_weight, progress.step)
        kept = {"refusal": 1.0, "retain": self.retain_weight}
        kept = {role: weight for role, weight in kept.items() if weight and role in batch}
        terms: dict[str, Tensor] = {}
        harmful, mask, chosen = batch["harmful"], self._mask(batch), self._layers(parts)
        whole, where = together({"harmful": harmful, **{role: batch[role] for role in kept}})
        states = forward(parts, whole.input_ids, whole.attention_mask, residual=True, mlp=self.noised == "mlp")
        # Taken out of the whole at once, which is then free.
        noised = [state[where["harmful"]][mask] for state in states.mlp or states.residual]
        final, residual = states.final, [state[where["harmful"]] for state in states.residual]
        del states
        for role, weight in kept.items():
            terms[role] = weight * cross_entropy(parts, final[where[role]], targets(batch[role]))
        if self.noise_weight:
            noise = [self._noise(noised[layer], harmful, mask, layer, progress.step) for layer in chosen]
            terms["noise"] = self.noise_weight * torch.stack(noise).mean()
        if self.ascent_weight:
            guessing = math.log(model.config.get_text_config().vocab_size)
            ascent = self._ascent(parts, residual, targets(harmful, mask), guessing, self._read(chosen, progress.step))
            terms["ascent"] = -self.ascent_weight * (torch.log1p(ascent) if self.log_ascent else ascent)
        return terms

    def _mask(self, batch: Batch) -> Tensor:
        """The harmful tokens that count; the two members need not be padded to one length."""
        harmful, refusal = batch["harmful"], batch["refusal"]
        longer = harmful.input_ids.shape[1] - refusal.input_ids.shape[1]
        ids, answer = (functional.pad(part, (0, longer)) for part in (refusal.input_ids, refusal.answer_mask))
        differing = harmful.answer_mask & ((harmful.input_ids != ids) | ~answer)
        if not bool(differing.any(1).all()):
            raise DataError(
                "the two answers of a pair have the same tokens, so a defence cannot tell them apart; "
                "leave the pair out, or look whether the tokenizer knows their words."
            )
        return differing if self.mask == "differing" else harmful.answer_mask

    def _layers(self, parts: Anatomy) -> tuple[int, ...]:
        count = len(parts.blocks)
        if self.layers and not all(0 <= layer < count for layer in self.layers):
            raise ConfigError(f"layers {self.layers}: the model's blocks are numbered 0 to {count - 1}.")
        return self.layers or tuple(range(count))

    def _read(self, layers: tuple[int, ...], step: int) -> tuple[int, ...]:
        """The layers at which the ascent reads this step."""
        if not self.layerwise_ascent:
            return (-1,)
        count = self.ascent_layers_per_step
        if count is None or count >= len(layers):
            return layers
        return tuple(sorted(random.Random(step).sample(layers, count)))

    def _noise(self, states: Tensor, harmful: Tokens, mask: Tensor, layer: int, step: int) -> Tensor:
        """MMD2 between the answers' representations [N, H] at one layer and noise."""
        points, lengths = states.float(), mask.sum(1)
        noise = keyed_noise(harmful.keys, lengths.tolist(), points.shape[1], layer=layer, step=step, seed=0)
        if self.scaled:
            noise = noise * points.detach().square().mean().sqrt()
        if self.sample == "token":
            return mmd(points, noise)
        return mmd(_end_to_end(points, lengths), _end_to_end(noise, lengths))

    def _ascent(
        self, parts: Anatomy, residual: list[Tensor], wanted: Targets, guessing: float, layers: tuple[int, ...]
    ) -> Tensor:
        """The mean over layers of the harmful answers' cross-entropy, read by a norm and a head that stay."""
        losses = [
            head_loss(
                parts,
                parts.frozen_norm(residual[layer][wanted.at]),
                wanted.labels,
                wanted.weights,
                train_head=False,
                ceiling=guessing if self.bounded else None,
            )
            for layer in layers
        ]
        return torch.stack(losses).mean()


def _end_to_end(points: Tensor, lengths: Tensor) -> Tensor:
    """Each answer's states in one row, zeros after the shorter ones: [N, H] -> [B, T * H]."""
    return torch.nn.utils.rnn.pad_sequence(list(points.split(lengths.tolist())), batch_first=True).flatten(1)
