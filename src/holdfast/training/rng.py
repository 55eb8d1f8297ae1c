"""The global random state, left as it was found."""

import random
from collections.abc import Generator
from contextlib import contextmanager

import numpy as np
import torch

from holdfast.models import devices


@contextmanager
def preserved_rng() -> Generator[None]:
    """Whatever draws inside, Python's, NumPy's and torch's global generators are put back on leaving."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices.drawing()):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


@contextmanager
def seeded(seed: int) -> Generator[None]:
    """Draws inside are decided by a seed, and the global generators are put back on leaving."""
    from transformers import set_seed

    with preserved_rng():
        set_seed(seed)
        yield
