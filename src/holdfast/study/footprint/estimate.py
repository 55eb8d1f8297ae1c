"""What a run will hold and take, before it runs: measured with a few blocks, and extrapolated to all.

Memory and time of each phase of a run are a constant (libraries, embeddings, head) and as much again for each block:

    f(blocks) = f(b1) + (f(b2) - f(b1)) (blocks - b1) / (b2 - b1)

The phase that holds most with few blocks need not be the one that does with all, so each is extrapolated by itself,
and the largest is the answer. A model that is small enough is measured whole.

What a setting that names some of the blocks (layers, training.freeze_blocks) adds goes with how many it names, and not
with how many there are. Both probes have it name one, and a third has it name all of its blocks but one:

    f(blocks, named) = f(blocks, 1) + (f(b2, b2 - 1) - f(b2, 1)) (named - 1) / (b2 - 2)
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import psutil
import torch

from holdfast.models import devices
from holdfast.study.footprint.named import named
from holdfast.study.footprint.probe import Asked, Cut, Probe, probe
from holdfast.study.footprint.smaller import Shape

_WHOLE: Final = 300_000_000
"""Weights up to which a model is measured whole, and the larger of two probes has more blocks than it needs: a few
megabytes more or less of the libraries' are then no longer taken for a block's."""
_SPARE: Final = 2
"""Blocks that the larger probe has beyond the smaller at least, in periods of the model's pattern."""


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
    """Of that: weights as they are loaded, gradients, optimiser."""
    steps: int
    """0 of a method that takes none."""
    step: float
    """Seconds a step."""
    around: float
    """Seconds for starting, loading, warming up and writing."""
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


def footprint(shape: Shape, asked: Asked, *, told: Callable[[int], None] = lambda _: None) -> Footprint:
    """Measure a run with few blocks, and extrapolate.

    Args:
        shape: the model's.
        asked: the method and its data.
        told: is told with how many blocks a probe begins.

    Raises:
        HoldfastError: the method or its data do not fit, as in the run itself, or models are spread over devices.
    """
    device = devices.device()
    some = named(asked.built, shape.blocks)
    probes: list[Probe] = []
    for cut in _cuts(shape, some):
        told(cut.blocks)
        probes.append(probe(asked, cut, partial(shape.write, cut.blocks)))
    training = getattr(asked.built, "training", None)
    at = partial(_extrapolated, probes, shape.blocks, [len(listed) for listed in some.values() if len(listed) > 1])
    return Footprint(
        parameters=shape.parameters(),
        blocks=shape.blocks,
        probed=tuple(dict.fromkeys(one.blocks for one in probes)),
        memory={name: int(at(lambda one, name=name: one.peaks.get(name, 0))) for name in probes[0].peaks},
        held={name: int(at(lambda one, name=name: one.held.get(name, 0))) for name in probes[0].held},
        steps=training.steps if training else 0,
        step=at(lambda one: one.step) * probes[-1].width,
        around=at(lambda one: one.loading + one.writing + one.warming),
        device="GPU" if device.type == "cuda" else "CPU",
        available=_available(device),
    )


def _cuts(shape: Shape, some: Mapping[str, Sequence[int]]) -> list[Cut]:
    """With how many blocks to measure, and how many of them settings that name some of the model's name."""
    # Beside a block that is frozen there has to be one that is not.
    few = shape.period * (2 if some else 1)
    more = few + _SPARE * shape.period
    if more >= shape.blocks or shape.parameters() <= _WHOLE:
        return [Cut(whole=shape.blocks, blocks=shape.blocks)]
    fixed, period = _weights(shape)
    more = max(more, (_WHOLE - fixed) // period * shape.period)
    one = dict.fromkeys(some, 1)
    counts = [{**one, setting: more - 1} for setting, listed in some.items() if len(listed) > 1]
    return [
        Cut(whole=shape.blocks, blocks=few, counts=one),
        *(Cut(whole=shape.blocks, blocks=more, counts=each) for each in (one, *counts)),
    ]


def _weights(shape: Shape) -> tuple[int, int]:
    """How many weights are in no block, and how many in each period."""
    one, two = (shape.parameters(periods * shape.period) for periods in (1, 2))
    return 2 * one - two, two - one


def _extrapolated(
    probes: Sequence[Probe], blocks: int, counts: Sequence[int], value: Callable[[Probe], float]
) -> float:
    """What a probe's value would be with so many blocks, and with so many of them named; no less than measured."""
    if len(probes) == 1:
        return value(probes[0])
    first, last, *others = probes
    slope = (value(last) - value(first)) / (last.blocks - first.blocks)
    found = value(last) + max(0.0, slope) * (blocks - last.blocks)
    for other, count in zip(others, counts, strict=True):
        found += (value(other) - value(last)) / (last.blocks - 2) * (count - 1)
    return max(found, min(map(value, probes)))


def _available(device: torch.device) -> int:
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available


def scratch_needed(shape: Shape) -> int:
    """Bytes that the larger probe writes below the folder for temporary files, twice over."""
    return 2 * 4 * shape.parameters(_cuts(shape, {"": (0,)})[-1].blocks)


def check_scratch(shape: Shape) -> None:
    """Raise OutputError where there is no room for the probes."""
    from holdfast.files import check_output

    check_output(Path(tempfile.gettempdir(), "holdfast-probe"), overwrite=True, needed=scratch_needed(shape))
