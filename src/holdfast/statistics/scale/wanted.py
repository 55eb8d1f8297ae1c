"""Which scores to take next: those that a scale would learn most from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.statistics.scale.fit import Scale


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A score that nobody has taken."""

    subject: str
    item: str
    information: float
    """Nats that it is expected to tell of all abilities, difficulties and slopes together."""
    expected: float
    """The score that the scale expects."""


def wanted(scale: Scale, missing: Sequence[tuple[str, str]] | None = None) -> list[Wanted]:
    """Scores that are missing, the one that tells most first.

    Source: expected gain of Shannon information in Bayesian experimental design (Lindley 1956; Chaloner & Verdinelli
    1995), with the fit taken as linear and normal around where it is (Laplace): 0.5 log(1 + g' (J'J + P)^-1 g), for J
    the gradient of the scores that there are, g that of the new one, P the penalty.

    Args:
        scale: fitted to what there is.
        missing: (subject, item) of those that could be taken; none given means all that are not there.
    """
    scores = scale.scores
    if missing is None:
        there = {(int(subject), int(item)) for subject, item in zip(scores.subject, scores.item, strict=True)}
        every = ((one, other) for one in range(len(scores.subjects)) for other in range(len(scores.items)))
        places = [pair for pair in every if pair not in there]
    else:
        places = [(scores.subjects.index(one), scores.items.index(other)) for one, other in missing]
    if not places:
        return []
    subject, item = (np.array(column, dtype=np.intp) for column in zip(*places, strict=True))
    gradient = scale.gradient(scores.subject, scores.item)
    known = gradient.T @ gradient + np.diag(scale.held**2)
    new = scale.gradient(subject, item)
    gains = 0.5 * np.log1p(np.einsum("ij,ji->i", new, np.linalg.solve(known, new.T)))
    expected = scale.expected(subject, item)
    found = [
        Wanted(subject=scores.subjects[one], item=scores.items[other], information=float(gain), expected=float(score))
        for (one, other), gain, score in zip(places, gains, expected, strict=True)
    ]
    return sorted(found, key=lambda one: -one.information)
