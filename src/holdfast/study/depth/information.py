"""How much each layer holds of the answers themselves, whatever the model would say.

Usable information (Xu et al. 2020, arXiv 2002.10689, V-information) of the question about its answer, in nats:

    I = H(answer | states, another's question) - H(answer | states, its question)

Both are the cross-entropy of the answer's tokens read off a layer through an affine map and the model's own norm and
head (the tuned lens, Belrose et al. 2023, arXiv 2303.08112), learnt on some answers and asked about others, so that
nothing can be memorised. The answer so far is there in both, and so is its language: what is left is what the question
makes known, which is the knowledge that harm is made of. Plain logits of a layer (the logit lens) are where the map
begins; where no map is better, it stays.
"""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from holdfast.depths import Held
from holdfast.interfaces import Model
from holdfast.models.anatomy import Anatomy, anatomy
from holdfast.models.devices import beside
from holdfast.statistics.repeats import spread
from holdfast.study.depth.read import Read

_STEPS: Final = 60
_EVERY: Final = 5
"""Steps of AdamW, and between two looks at the answers that decide when to stop."""
_RATE: Final = 3e-3
_PARTS: Final = (0.5, 0.75)
"""Up to the first a row is learnt on, up to the second it decides when to stop, and then it is asked about."""


def held(model: Model, own: Read, swapped: Read, layer: int, seeds: int) -> Held:
    """The information of one layer.

    Args:
        model: whose norm and head read the states.
        own: the answers after their own questions.
        swapped: the same answers in the same order, each after the question of another.
        layer: which.
        seeds: dealings of answers.
    """
    found: list[float | None] = []
    for seed in range(seeds):
        order = torch.randperm(own.rows, generator=torch.Generator().manual_seed(seed))
        parts = [order[: int(_PARTS[0] * own.rows)], order[int(_PARTS[0] * own.rows) : int(_PARTS[1] * own.rows)]]
        asked = order[int(_PARTS[1] * own.rows) :]
        known, unknown = (_left(model, one, layer, [*parts, asked]) for one in (own, swapped))
        found.append((unknown - known) / len(asked))
    return Held(information=spread(found), loss=lens_loss(model, own, layer))


def lens_loss(model: Model, own: Read, layer: int) -> float:
    """Cross-entropy of the answers by the logit lens, in nats a token."""
    parts, on = anatomy(model.network), beside(model.network)
    with torch.no_grad():
        return float(_loss(parts, own.states[layer].to(on), own.labels.to(on))) / len(own.labels)


def _left(model: Model, given: Read, layer: int, rows: Sequence[Tensor]) -> float:
    """Nats of the answers asked about that a map which was learnt on others leaves."""
    parts, on = anatomy(model.network), beside(model.network)
    sets = [(given.states[layer][at].to(on), given.labels[at].to(on)) for at in map(given.of, rows)]
    (states, labels), deciding, asked = sets
    width = states.shape[1]
    bend = torch.zeros(width, width, device=on, requires_grad=True)
    shift = torch.zeros(width, device=on, requires_grad=True)
    optimiser = torch.optim.AdamW([bend, shift], lr=_RATE, weight_decay=0.0)
    scale = states.pow(2).mean().sqrt()

    def left(states: Tensor, labels: Tensor) -> Tensor:
        return _loss(parts, states + states @ bend + shift * scale, labels)

    best, told = float("inf"), float("inf")
    for step in range(_STEPS + 1):
        if step % _EVERY == 0:
            with torch.no_grad():
                now = float(left(*deciding))
                if now < best:
                    best, told = now, float(left(*asked))
        loss = left(states, labels) / len(labels)
        bend.grad, shift.grad = torch.autograd.grad(loss, (bend, shift))
        optimiser.step()
    return told


def _loss(parts: Anatomy, states: Tensor, labels: Tensor) -> Tensor:
    """Summed over tokens."""
    kind = next(iter(parts.head_parameters)).dtype
    logits = parts.head(parts.norm(states.to(kind))).float()
    return functional.cross_entropy(logits, labels, reduction="sum")
