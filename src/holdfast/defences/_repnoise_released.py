"""The loss of domenicrosati/representation-noising (`loss.py`), written from its description, defects kept.

Kept on purpose, so that a replication gives the release's figures: the mask is wherever the two
members' ids differ, so padding of the shorter one is trained on and shared tokens are not; logits
are multiplied by the mask of the position they stand at, so the first answer token has no
gradient; token id 0 is never a target; the last state is normed twice and the last loss counted
twice; the 1 is added outside the mean; the MMD takes a whole padded sequence as one point and
pairs it with itself; noise is N(0, 1) whatever the activations' scale. Not kept: hooks that are
never removed, and its fixed module names.
"""

import torch
from torch import Tensor
from torch.nn import functional

from holdfast.models.anatomy import Anatomy
from holdfast.models.states import forward
from holdfast.training.batches import Batch
from holdfast.training.terms.losses import keyed_noise


def released_loss(
    parts: Anatomy, batch: Batch, noise_weight: float, ascent_weight: float, step: int
) -> dict[str, Tensor]:
    """L = CE(refusal) + noise_weight * mean_l MMD - ascent_weight * log(mean_l CE(harmful) + 1), as released."""
    harmful, refusal = batch["harmful"], batch["refusal"]
    mask = harmful.input_ids != refusal.input_ids
    states = forward(parts, harmful.input_ids, harmful.attention_mask, residual=True, mlp=True)
    noise = torch.stack(
        [
            _mmd(hidden * mask[..., None], _noise(harmful.keys, hidden, layer, step) * mask[..., None])
            for layer, hidden in enumerate(states.mlp)
        ]
    ).mean()
    # Embeddings, every block but the last, and the state that is normed already.
    lens = [parts.norm(state) for state in (states.embedded, *states.residual[:-1], states.final)]
    losses = torch.stack([_masked_ce(parts.head(state), harmful.input_ids, mask) for state in (states.final, *lens)])
    ascent = losses.sum() / len(lens) + 1
    kept = forward(parts, refusal.input_ids, refusal.attention_mask)
    return {
        "refusal": _masked_ce(parts.head(kept.final), refusal.input_ids, mask),
        "noise": noise_weight * noise,
        "ascent": -ascent_weight * torch.log(ascent),
    }


def _noise(keys: Tensor, like: Tensor, layer: int, step: int) -> Tensor:
    rows, length, width = like.shape
    return keyed_noise(keys, [length] * rows, width, layer=layer, step=step, seed=0).view_as(like)


def _masked_ce(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    shown = logits[:, :-1] * mask[:, :-1, None]
    wanted = labels[:, 1:] * mask[:, 1:]
    wanted = wanted.masked_fill(wanted == 0, -100)
    return functional.cross_entropy(shown.flatten(0, 1), wanted.flatten())


def _mmd(x: Tensor, y: Tensor) -> Tensor:
    points = torch.cat([x.flatten(1), y.flatten(1)])
    count, half = len(points), len(x)
    distances = (points[None] - points[:, None]).square().sum(2)
    width = distances.detach().sum() / (count**2 - count) / 4
    kernel = torch.stack([torch.exp(-distances / (width * 2**i)) for i in range(5)]).sum(0)
    same = kernel[:half, :half] + kernel[half:, half:]
    return (same - kernel[:half, half:] - kernel[half:, :half]).mean()
