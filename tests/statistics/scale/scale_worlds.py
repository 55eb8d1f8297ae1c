"""Scores drawn from a scale that is known."""

import numpy as np
from scipy.special import expit

from holdfast.statistics.scale.scores import Scores, scores

SLOPES = (1.0, 0.7, 1.5, 2.0, 0.9, 1.2)
DIFFICULTIES = (0.0, -1.0, 0.8, 1.5, 2.2, -0.4)


def abilities(count: int = 24) -> np.ndarray:
    return np.linspace(-1.5, 2.5, count)


def drawn(*, share: float = 1.0, noise: float = 0.0, seed: int = 0, count: int = 24) -> Scores:
    """Each subject on each item, or on a share of them; `item 0` is the anchor of 0 and 1."""
    rng = np.random.default_rng(seed)
    value = expit(np.array(SLOPES) * (abilities(count)[:, None] - np.array(DIFFICULTIES)))
    value = np.clip(value + rng.normal(0, noise, value.shape), 0, 1)
    kept = rng.random(value.shape) < share
    return scores((f"subject {one}", f"item {other}", float(value[one, other])) for one, other in np.argwhere(kept))
