"""What a sequence classifier thinks of texts, in batches by length, wherever there is room for it."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import torch

from holdfast.errors import ConfigError
from holdfast.judges._scorer import Scorer

_ROOM: Final = 2.0
"""Free memory that an accelerator must have, in sizes of the weights: what is computed needs some, too."""


def harms(
    scorer: Scorer,
    texts: Sequence[str],
    harmful: Sequence[str],
    *,
    independent: bool | None = None,
    batch_size: int,
    max_length: int,
) -> Iterator[list[tuple[int, float]]]:
    """How probable the harmful labels are for each text, some texts at a time, long ones first.

    Where labels exclude one another that is the sum of their shares (softmax), else the most probable one's (sigmoid).
    Runs without gradients, on an accelerator where one has room for it; from there it is gone afterwards.

    Args:
        scorer: stays as it is.
        texts: what is too long loses its beginning.
        harmful: labels.
        independent: whether each label may hold by itself; None is as the classifier's configuration says.
        batch_size: texts at once.
        max_length: tokens of a text, if the classifier takes as many.

    Yields:
        Which text, and its harm.

    Raises:
        ConfigError: there is no label of a name.
    """
    numbers, exclusive = _numbers(scorer, harmful), scorer.exclusive(independent)
    most = min(max_length, _longest(scorer))
    encoded: Any = scorer.tokenizer(list(texts), truncation=True, max_length=most, verbose=False)
    rows = [{key: encoded[key][at] for key in encoded} for at in range(len(texts))]
    order = sorted(range(len(texts)), key=lambda at: -len(rows[at]["input_ids"]))
    with torch.no_grad(), _placed(scorer.network) as device:
        for first in range(0, len(order), batch_size):
            batch = order[first : first + batch_size]
            inputs: Any = scorer.tokenizer.pad([rows[at] for at in batch], return_tensors="pt").to(device)
            logits = scorer.network(**inputs).logits.float()
            if exclusive:
                found = logits.softmax(-1)[:, numbers].sum(1).clamp(max=1)
            else:
                found = logits.sigmoid()[:, numbers].amax(1)
            yield list(zip(batch, found.tolist(), strict=True))


def _numbers(scorer: Scorer, harmful: Sequence[str]) -> list[int]:
    """Where labels stand in the head."""
    if missing := [label for label in harmful if label not in scorer.labels]:
        raise ConfigError(
            f"{scorer.name} has no label {missing[0]!r}; it has {', '.join(map(repr, scorer.labels))}: say which of "
            "them are harmful."
        )
    return [scorer.labels.index(label) for label in dict.fromkeys(harmful)]


def _longest(scorer: Scorer) -> int:
    told = getattr(scorer.network.config, "max_position_embeddings", None)
    return min(int(scorer.tokenizer.model_max_length), told if isinstance(told, int) and told > 0 else 1 << 30)


@contextmanager
def _placed(network: Any) -> Generator[torch.device]:
    """The device that it runs on: an accelerator with room, for as long as it is needed there, else where it is."""
    device = network.device
    weight = sum(part.numel() * part.element_size() for part in network.parameters())
    if torch.cuda.is_available() and _free() > _ROOM * weight:
        device = torch.device("cuda", torch.cuda.current_device())
    try:
        network.to(device)
        yield device
    finally:
        network.to("cpu")


def _free() -> int:
    """Bytes that torch can still have on the accelerator: what nobody has, and what it holds and does not use."""
    return torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
