"""A model without its safeguard: the one it was aligned from, or what a few steps on harmful answers make of it."""

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

from torch import Tensor

from holdfast.interfaces import Exchange, Model, Progress, Row, View
from holdfast.models.frozen import copied
from holdfast.training.batches import Batch
from holdfast.training.recipe import Recipe
from holdfast.training.rows import cycle
from holdfast.training.terms.answers import answer_loss


def unaligned(aligned: Model, name: str | None, view: View, training: Recipe) -> Any:
    """The network that an aligned one is compared with, by what its alignment has changed.

    Args:
        aligned: the model with its safeguard; it stays as it is.
        name: an organism, a directory or a hub id: what was aligned. None makes one from a copy, by fine-tuning it
            on the view's harmful answers (Bhardwaj et al. 2024, arXiv 2402.11746), and on its harmless ones in turn,
            where it has some, so that nothing but the safeguard goes.
        view: a defender's data.
        training: how it is fine-tuned where it is; the seed is 0.

    Raises:
        InputError: there is no such model, or nothing to train on.
    """
    if name is not None:
        from holdfast.models.load import load

        network: Any = load(name, dtype=aligned.network.dtype).network
        return network.to(aligned.network.device)
    from holdfast.training.run import apply

    # The aligned model may have come frozen.
    mine = dataclasses.replace(aligned, network=copied(aligned.network).requires_grad_(True))
    return apply(_Complying(training), mine, view, seed=0).network


class _Complying:
    """Fine-tuning on harmful answers."""

    def __init__(self, training: Recipe):
        self.training = training

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Harmful and harmless exchanges in turn."""
        retained = cycle(view.exchanges, seed + 1) if view.exchanges else itertools.repeat(None)
        for pair, retain in zip(cycle(view.pairs, seed), retained, strict=False):
            yield {"train": Exchange(key=pair.key, prompt=pair.prompt, answer=pair.harmful)}
            if retain:
                yield {"train": retain}

    def loss(self, model: Any, batch: Batch, _: Progress) -> dict[str, Tensor]:
        """Cross-entropy of the answers."""
        return {"cross_entropy": answer_loss(model, batch["train"])}
