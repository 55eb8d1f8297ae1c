"""What a run will hold and take, before it runs: measured with a few blocks, and extrapolated to all.

Memory and time of each phase of a run are a constant (libraries, embeddings, head) and as much again for each block:

    f(blocks) = f(b1) + (f(b2) - f(b1)) (blocks - b1) / (b2 - b1)

The phase that holds most with few blocks need not be the one that does with all, so each is extrapolated by itself,
and the largest is the answer. A model that is small enough is measured whole.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import psutil
import torch

from holdfast.models import devices
from holdfast.study.footprint.probe import Asked, Probe, probe
from holdfast.study.footprint.smaller import Shape

_WHOLE: Final = 100_000_000
"""Weights up to which a model is measured whole."""
_SPARE: Final = 2
"""Blocks that the larger probe has beyond the smaller, in periods of the model's pattern."""


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """What a run will hold and take."""

    parameters: int
    blocks: int
    probed: tuple[int, ...]
    """With how many blocks it was measured."""
    memory: Mapping[str, int]
    """Bytes held at most, phase by phase."""
    held: Mapping[str, int]
    """Of that: weights, gradients, optimiser."""
    steps: int
    """0 of a method that takes none."""
    step: float
    """Seconds a step."""
    around: float
    """Seconds for loading and writing."""
    device: str
    available: int
    """Bytes that the device has free."""

    @property
    def phase(self) -> str:
        """When most is held."""
        return max(self.memory, key=lambda name: self.memory[name])

    @property
    def peak(self) -> int:
        """Bytes held at most."""
        return self.memory[self.phase]

    @property
    def seconds(self) -> float:
        """The whole run."""
        return max(1, self.steps) * self.step + self.around


def footprint(
    shape: Shape, asked: Asked, *, dtype: torch.dtype = torch.float32, told: Callable[[int], None] = lambda _: None
) -> Footprint:
    """Measure a run with few blocks, and extrapolate.

    Args:
        shape: the model's.
        asked: the method and its data.
        dtype: of the weights as they are loaded.
        told: is told with how many blocks a probe begins.

    Raises:
        HoldfastError: the method or its data do not fit, as in the run itself.
    """
    probes: list[Probe] = []
    for blocks in _blocks(shape):
        told(blocks)
        probes.append(probe(asked, blocks, shape.blocks, partial(shape.write, blocks, dtype=dtype)))
    training = getattr(asked.built, "training", None)
    at = partial(_extrapolated, probes, shape.blocks)
    return Footprint(
        parameters=shape.parameters(),
        blocks=shape.blocks,
        probed=tuple(one.blocks for one in probes),
        memory={name: int(at(lambda one, name=name: one.peaks.get(name, 0))) for name in probes[0].peaks},
        held={name: int(at(lambda one, name=name: one.held.get(name, 0))) for name in probes[0].held},
        steps=training.steps if training else 0,
        step=at(lambda one: one.step) * probes[-1].width,
        around=at(lambda one: one.loading + one.writing),
        device="GPU" if devices.chosen() == "cuda" else "CPU",
        available=_available(),
    )


def _blocks(shape: Shape) -> tuple[int, ...]:
    """With how many blocks to measure."""
    few = shape.period
    more = (1 + _SPARE) * few
    return (shape.blocks,) if more >= shape.blocks or shape.parameters() <= _WHOLE else (few, more)


def _extrapolated(probes: list[Probe], blocks: int, value: Callable[[Probe], float]) -> float:
    """What a probe's value would be with so many blocks; no less than with few."""
    first, last = probes[0], probes[-1]
    if first is last:
        return value(first)
    slope = (value(last) - value(first)) / (last.blocks - first.blocks)
    return value(last) + max(0.0, slope) * (blocks - last.blocks)


def _available() -> int:
    if devices.chosen() == "cuda":
        return torch.cuda.mem_get_info()[0]
    return psutil.virtual_memory().available


def scratch_needed(shape: Shape) -> int:
    """Bytes that the larger probe writes below the folder for temporary files, twice over."""
    return 2 * 4 * shape.parameters(_blocks(shape)[-1])


def check_scratch(shape: Shape) -> None:
    """Raise OutputError where there is no room for the probes."""
    from holdfast.files import check_output

    check_output(Path(tempfile.gettempdir(), "holdfast-probe"), overwrite=True, needed=scratch_needed(shape))
