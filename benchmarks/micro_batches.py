"""What RepNoise's step loses where a batch is split: into micro-batches, or over processes, which is the same.

The MMD compares the points of a batch with each other, so a mean over parts is not that of the whole. Told beside each
split: the noise term, and how far the whole step's gradient turns from that of the unsplit batch.

    python benchmarks/micro_batches.py
"""

import itertools
import math
from collections.abc import Sequence

import torch

from holdfast.defences.repnoise import RepNoise
from holdfast.interfaces import Progress, Row
from holdfast.models.load import load
from holdfast.study.named import open_domain
from holdfast.study.view import defender
from holdfast.training.batches import as_batch
from holdfast.training.collate import Collator

BATCH = 32
BATCHES = 4


def split(rows: Sequence[Row], size: int) -> list[Sequence[Row]]:
    """Rows in parts of one size."""
    return [rows[first : first + size] for first in range(0, len(rows), size)]


def main() -> None:
    """Print a row for each split."""
    torch.manual_seed(0)
    model, method = load("arcana"), RepNoise()
    rows = list(itertools.islice(method.rows(defender(open_domain("arcana")), 0), BATCH * BATCHES))
    collate = Collator(model.tokenizer, None)

    def gradient(batch: Sequence[Row], parts: int) -> tuple[float, torch.Tensor]:
        model.network.zero_grad()
        noise, size = 0.0, len(batch) // parts
        for part in split(batch, size):
            terms = method.loss(model.network, as_batch(collate(list(part))), Progress(0, 100))
            noise += float(terms["noise"].detach()) / parts
            (torch.stack(list(terms.values())).sum() / parts).backward()
        return noise, torch.cat(
            [weight.grad.flatten() for weight in model.network.parameters() if weight.grad is not None]
        )

    print(f"arcana, RepNoise's defaults, batch {BATCH}, {BATCHES} batches")
    print(f"{'parts':>12}  {'noise term':>10}  {'angle of the gradient to the unsplit one':>40}")
    whole = {}
    for parts in (1, 2, 4, 8, 16):
        angles, noises = [], []
        for number, batch in enumerate(split(rows, BATCH)):
            noise, found = gradient(batch, parts)
            whole.setdefault(number, found)
            cosine = torch.nn.functional.cosine_similarity(found.double(), whole[number].double(), dim=0)
            angles.append(math.degrees(math.acos(min(1.0, float(cosine)))))
            noises.append(noise)
        name = f"{parts} x {BATCH // parts}"
        print(f"{name:>12}  {sum(noises) / BATCHES:10.4f}  {sum(angles) / BATCHES:38.1f} °")


if __name__ == "__main__":
    main()
