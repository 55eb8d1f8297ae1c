"""Batches for a method that draws its own data: a guard within somebody else's training, an edit without any."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from holdfast.interfaces import Model, Row
from holdfast.training.batches import Batch, as_batch


def feed(model: Model, rows: Iterator[Row], batch_size: int) -> Iterator[Batch]:
    """Batches of a stream of rows, where the model computes; the last may be smaller, and an endless stream has none.

    Raises:
        DataError: a row does not fit into the model's context, or has no answer.
    """
    from holdfast.models import devices
    from holdfast.models.chat import context_length
    from holdfast.training.collate import Collator  # they import transformers, and a defence is looked up without

    network: Any = model.network
    collate = Collator(model.tokenizer, context_length(network))
    while drawn := list(islice(rows, batch_size)):
        nested, on = collate(drawn), devices.beside(network)
        yield as_batch({role: {name: part.to(on) for name, part in block.items()} for role, block in nested.items()})
