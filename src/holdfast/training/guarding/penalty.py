"""The commonest guard: at each micro-batch of somebody else's training, terms made of a batch of its own."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor

from holdfast.interfaces import Model, Row
from holdfast.training.batches import Batch

Terms = Callable[[Any, Batch], Mapping[str, Tensor]]
"""From the network and a batch to named terms, each a mean over the batch."""


class Penalty:
    """A guard that adds terms on its own data to the trainer's loss.

    It draws `batch_size` rows a micro-batch. Terms are means, and the harness takes the mean over the micro-batches
    of a step: 4 of 2 rows make the gradient that one of 8 makes.
    """

    def __init__(self, model: Model, rows: Iterator[Row], batch_size: int, terms: Terms):
        from holdfast.training.feed import feed  # it imports transformers, which a look-up of settings must not

        self._batches = feed(model, rows, batch_size)
        self._terms = terms

    def penalty(self, model: Any, *_: Any) -> Mapping[str, Tensor]:
        """The terms of the next batch; the user's own data, and where the run stands, are not looked at."""
        return self._terms(model, next(self._batches))
