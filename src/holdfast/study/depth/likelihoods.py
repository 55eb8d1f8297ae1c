"""The log-probabilities of answers' tokens layer by layer, and their two main directions.

After RepNoise's own look at depth (arXiv 2405.14577, section 5): each answer is a row of numbers, one a layer, its mean
token log-probability by the logit lens; principal components of these rows show whether harmful answers go another way
through the layers than harmless ones.
"""

import numpy as np
import torch
from sklearn.decomposition import PCA

from holdfast.depths import Paths
from holdfast.interfaces import Model
from holdfast.models.anatomy import anatomy
from holdfast.models.devices import beside
from holdfast.study.depth.read import Read


def paths(model: Model, harmful: Read, harmless: Read) -> Paths:
    """Both kinds of answers in one plane.

    Args:
        model: whose norm and head read the states.
        harmful, harmless: the answers.
    """
    rows = np.concatenate([_paths(model, one) for one in (harmful, harmless)])
    found = PCA(n_components=2)
    plane = found.fit_transform(rows)
    points = [(float(one), float(other)) for one, other in plane]
    first, second = found.explained_variance_ratio_
    return Paths(
        harmful=points[: harmful.rows], harmless=points[harmful.rows :], explained=(float(first), float(second))
    )


def _paths(model: Model, read: Read) -> np.ndarray:
    """The mean log-probability of each answer by each layer: [R, layers]."""
    parts, on = anatomy(model.network), beside(model.network)
    kind = next(iter(parts.head_parameters)).dtype
    columns: list[torch.Tensor] = []
    with torch.no_grad():
        for states in read.states:
            logs = parts.head(parts.norm(states.to(on, kind))).float().log_softmax(-1)
            each = logs.gather(1, read.labels.to(on)[:, None])[:, 0].cpu()
            total = torch.zeros(read.rows).index_add_(0, read.row, each)
            columns.append(total / torch.bincount(read.row, minlength=read.rows).clamp(min=1))
    return torch.stack(columns, dim=1).numpy()
