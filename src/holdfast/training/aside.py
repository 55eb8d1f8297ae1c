"""A loss that is taken from somewhere else than where the model was: what moves the weights comes before the first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from holdfast.interfaces import Progress
from holdfast.training.batches import Batch


@dataclass(frozen=True)
class Aside:
    """The same loss, on weights that are moved before it is first taken."""

    move: Callable[[], None]
    """Acts once, as what `models.postponed` gives does."""
    taken: Callable[[Any, Batch, Progress], dict[str, Tensor]]

    def loss(self, model: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """Named terms, as the method's own."""
        self.move()
        return self.taken(model, batch, progress)
