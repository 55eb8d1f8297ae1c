"""Whether a layer tells harmful answers from harmless ones, by a linear probe.

Accuracy alone says little: a wide layer separates anything. Selectivity is accuracy beyond that of a probe of the same
kind on labels dealt at random (Hewitt & Liang 2019, arXiv 1909.03368), which can only be memorised. And what is told
apart is topics: words differ, so even the embeddings tell; a model that never learnt any harm has probes as good.
The RepNoise paper's own (2405.14577, section 5): linear, mean activations, 80 to 20, ten seeds.
"""

from typing import Final

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from holdfast.depths import Probed
from holdfast.statistics.repeats import spread

_LEARNT_ON: Final = 0.8


def probed(harmful: Tensor, harmless: Tensor, seeds: int) -> Probed:
    """Probe one layer.

    Args:
        harmful, harmless: [R, H], the mean state of each answer.
        seeds: dealings of rows into those learnt on and those asked about.
    """
    states = np.concatenate([harmful.numpy(), harmless.numpy()])
    labels = np.repeat([1, 0], [len(harmful), len(harmless)])
    true: list[float] = []
    beyond: list[float] = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(labels))
        random = rng.permutation(labels)
        accuracy, control = (_accuracy(states, given, order) for given in (labels, random))
        true.append(accuracy)
        beyond.append(accuracy - control)
    return Probed(accuracy=spread(true), selectivity=spread(beyond))


def _accuracy(states: np.ndarray, labels: np.ndarray, order: np.ndarray) -> float:
    cut = int(_LEARNT_ON * len(order))
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    probe.fit(states[order[:cut]], labels[order[:cut]])
    return float(probe.score(states[order[cut:]], labels[order[cut:]]))
