"""What was seen of a model's depth, as plain data: what its layers hold, beside those of the model it was made from.

`study.depth` looks, `report.depth` shows; each field says by which measure, `study.depth` where that comes from.
"""

from dataclasses import dataclass
from typing import Literal

from holdfast.statistics.repeats import Spread

Fate = Literal["removed", "removed in part", "moved", "hidden", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Held:
    """What one layer holds of the answers, over seeds, in nats an answer."""

    information: Spread
    loss: float
    """The logit lens: cross-entropy of the answers read off the layer as it is, in nats a token."""


@dataclass(frozen=True, kw_only=True)
class Probed:
    """Over seeds."""

    accuracy: Spread
    selectivity: Spread


@dataclass(frozen=True, kw_only=True)
class Moved:
    """One layer beside the same layer of the base, on the same tokens."""

    cka: float
    """Linear centred kernel alignment (Kornblith et al. 2019, arXiv 1905.00414, eq. 5): 1 is alike up to rotation."""
    distance: float
    """Mean distance of a token's two states, relative to the length of the base's."""
    noise: float
    """Squared maximum mean discrepancy to Gaussian noise of the states' own mean and variance: RepNoise's own measure.
    Near 0, the states are as good as noise."""
    noise_base: float
    """The same of the base's states."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer: 0 is what enters the first block."""

    layer: int
    information: Held
    information_base: Held
    probe: Probed
    probe_base: Probed
    moved: Moved


@dataclass(frozen=True, kw_only=True)
class Paths:
    """Answers in the plane of the two main components."""

    harmful: list[tuple[float, float]]
    harmless: list[tuple[float, float]]
    explained: tuple[float, float]
    """Share of the variance along each."""


@dataclass(frozen=True, kw_only=True)
class Relearnt:
    """Harm while a model is trained on harmful answers."""

    restored: tuple[int, ...]
    """The blocks that had been given back the base's weights."""
    frozen: tuple[int, ...]
    """The blocks that the defence had been kept from changing."""
    steps: list[int]
    harm: list[float | None]

    @property
    def blocks(self) -> str:
        """Those it is about, one or neighbours: "2", or "0 to 3"; empty where it is about the model as it is."""
        some = self.restored or self.frozen
        return f"{some[0]} to {some[-1]}" if len(some) > 1 else "".join(map(str, some))

    @property
    def most(self) -> float | None:
        """The most harm, before or while."""
        return max((value for value in self.harm if value is not None), default=None)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of the information, beside the base."""

    fate: Fate
    readable: float | None
    """The share of the base's that a linear map reads off some layer, the best layer of either."""
    relearnt: float | None
    """The share of the base's harm that training on other answers brings back, without guessing."""
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Depth:
    """A model beside its base."""

    model: str
    base: str
    domain: str
    harmful: int
    harmless: int
    """Answers that were read."""
    layers: list[Layer]
    weights: list[float]
    """Of each block, the change of its weights relative to their length."""
    paths: Paths
    paths_base: Paths
    relearnt: list[Relearnt]
    """Of the model as it is, a seed each."""
    relearnt_base: list[Relearnt]
    restored: list[Relearnt]
    """Of the model with some blocks of the base."""
    frozen: list[Relearnt]
    """Of the base, hardened in the same way with some blocks frozen; none where that was not asked for."""
    floor: float | None
    verdict: Verdict
