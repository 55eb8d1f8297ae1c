"""One run of a method on a small model, in a process of its own: what it held and how long it took."""

import itertools
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from holdfast.config import replace
from holdfast.errors import ModelError
from holdfast.interfaces import Row, View
from holdfast.models.chat import context_length
from holdfast.models.identity import weights_hash
from holdfast.models.load import load
from holdfast.models.save import save
from holdfast.study.footprint.gauge import Gauge
from holdfast.study.footprint.named import fitted
from holdfast.study.named import method, open_domain
from holdfast.study.view import attacker, defender
from holdfast.training.collate import Collator, Rows
from holdfast.training.run import apply

STEPS: Final = 5
"""Steps of a probe: one that warms up, three with batches of the usual width, and one with the widest of the run."""
LOADING, STEPPING, OPTIMISING, WRITING = "loading", "forward and backward", "optimiser", "writing"
"""The phases of a run, each of which may be the one that holds most."""
WHEN: Final = {
    LOADING: "while the model is loaded",
    STEPPING: "in the forward and backward pass",
    OPTIMISING: "while the optimiser steps",
    WRITING: "while the result is written",
}
"""The same in words."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be run."""

    kind: Literal["defences", "attacks"]
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    domain: str = "arcana"
    categories: tuple[str, ...] = ()
    """The only harmful ones to use; none given means all."""
    seed: int = 0
    dtype: torch.dtype | None = torch.float32
    """Of the weights once loaded; None leaves it as they are stored."""

    @property
    def built(self) -> Any:
        """The method with its settings."""
        return method(self.kind, self.name, self.settings)

    @property
    def view(self) -> View:
        """What it may use."""
        data = open_domain(self.domain, self.categories)
        return defender(data) if self.kind == "defences" else attacker(data)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A model with few of its blocks."""

    whole: int
    """How many it has."""
    blocks: int
    """How many are left."""
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many of these the settings name that name some of the whole model's, by the setting."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What one run held and took."""

    blocks: int
    peaks: Mapping[str, int]
    """Bytes at most, phase by phase."""
    held: Mapping[str, int]
    """Bytes of weights as they are loaded, and of gradients and optimiser as far as there are any."""
    loading: float
    """Seconds, those in which the process starts among them."""
    step: float
    """Seconds a step takes with a batch of the usual width; of a method without steps, all of it."""
    warming: float
    """Seconds before the first step and after the last, and those that the first takes longer than a usual one."""
    writing: float
    """Seconds."""
    width: float = 1.0
    """The mean width of the run's batches over the one that was timed."""


def probe(asked: Asked, cut: Cut, write: Callable[[Path], None]) -> Probe:
    """Run a method for a few steps on a model that `write` puts into a folder, in a new process.

    Args:
        asked: the method and its data.
        cut: how much of the model it is.
        write: writes it.

    Raises:
        HoldfastError: the method or its data do not fit, as in a run.
        ModelError: there is not memory enough even for so few blocks.
    """
    with tempfile.TemporaryDirectory(prefix="holdfast-probe-") as scratch:
        place = Path(scratch, "model")
        write(place)
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            try:
                return pool.submit(_run, asked, cut, str(place), torch.get_num_threads(), time.time()).result()
            except (BrokenProcessPool, torch.OutOfMemoryError) as error:
                raise ModelError(
                    f"it does not fit here with {cut.blocks} of {cut.whole} blocks: the process that measured it ended "
                    "for want of memory. Try smaller batches at a time (training.accumulation), or a larger machine."
                ) from error


def _run(asked: Asked, cut: Cut, place: str, threads: int, called: float) -> Probe:
    # A run is a process of its own, too: it begins with what is imported.
    starting = time.time() - called
    torch.set_num_threads(threads)
    chosen, view = _short(fitted(asked.built, cut.whole, cut.blocks, cut.counts)), asked.view
    held: dict[str, int] = {}
    times: list[float] = []
    with Gauge() as gauge, tempfile.TemporaryDirectory(dir=Path(place).parent) as scratch:
        hooks = (
            register_optimizer_step_pre_hook(partial(_before, gauge, held)),
            register_optimizer_step_post_hook(partial(_after, gauge, held)),
        )
        gauge.phase(LOADING)
        begun = time.perf_counter()
        model = load(place, dtype=asked.dtype)
        weights_hash(model.network)
        held["weights"] = sum(weight.nbytes for weight in model.network.parameters())
        loading = starting + time.perf_counter() - begun
        chosen, width = _with_rows(chosen, asked.built, view, asked.seed, model)
        gauge.phase(STEPPING)
        times.append(time.perf_counter())
        made = apply(chosen, model, view, seed=asked.seed, on_step=partial(_note, times))
        times.append(time.perf_counter())
        gauge.phase(WRITING)
        weights_hash(made.network)
        save(made, Path(scratch, "made"))
        writing = time.perf_counter() - times[-1]
        for hook in hooks:
            hook.remove()
    step, warming = _paced(times)
    return Probe(
        blocks=cut.blocks,
        peaks=gauge.peaks,
        held=held,
        loading=loading,
        step=step,
        warming=warming,
        writing=writing,
        width=width,
    )


def _paced(times: Sequence[float]) -> tuple[float, float]:
    """Seconds of a usual step, and those beside the steps, from the start, each step's end and the end of it all."""
    steps = [after - before for before, after in itertools.pairwise(times[1:-1])]
    # The first step warms up, and the last one has the widest batch.
    usual = steps[:-1] if len(steps) > 1 else steps
    if not usual:
        return times[-1] - times[0], 0.0
    step = statistics.median(usual)
    return step, max(0.0, times[1] - times[0] - step) + times[-1] - times[-2]


def _note(times: list[float], *_: object) -> None:
    times.append(time.perf_counter())


def _before(gauge: Gauge, held: dict[str, int], optimiser: torch.optim.Optimizer, *_: object) -> None:
    gauge.phase(OPTIMISING)
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    grads = sum(weight.grad.nbytes for weight in weights if weight.grad is not None)
    held["gradients"] = max(held.get("gradients", 0), grads)


def _after(gauge: Gauge, held: dict[str, int], optimiser: torch.optim.Optimizer, *_: object) -> None:
    states = [value for state in optimiser.state.values() for value in state.values()]
    held["optimiser"] = max(
        held.get("optimiser", 0), sum(value.nbytes for value in states if isinstance(value, torch.Tensor))
    )
    gauge.phase(STEPPING)


def _short(chosen: Any) -> Any:
    """The method with a few steps."""
    return replace(chosen, {"training": {"steps": STEPS}}) if hasattr(chosen, "training") else chosen


def _with_rows(chosen: Any, whole: Any, view: View, seed: int, model: Any) -> tuple[Any, float]:
    """The method with batches of the usual width and a last one of the widest of its whole run, and the mean width."""
    if not hasattr(whole, "rows") or not whole.training.steps:
        return chosen, 1.0
    recipe = whole.training
    size = recipe.batch_size // recipe.accumulation
    rows = list(Rows(whole.rows(view, seed), recipe.steps * recipe.batch_size))
    collator = Collator(model.tokenizer, context_length(model.network))
    batches = [rows[at : at + size] for at in range(0, len(rows), size)]
    widths = [sum(collator.widths(batch).values()) for batch in batches]
    order = sorted(range(len(batches)), key=lambda at: widths[at])
    usual, widest = order[len(order) // 2], order[-1]
    repeated = [*batches[usual] * (STEPS - 1) * recipe.accumulation, *batches[widest] * recipe.accumulation]
    return _Rowed(chosen, repeated), statistics.fmean(widths) / widths[usual]


class _Rowed:
    """A method that is given these rows."""

    def __init__(self, chosen: Any, rows: Sequence[Row]):
        self._chosen = chosen
        self._rows = rows

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._chosen, name)
        return self._started if name == "start" else found

    def rows(self, *_: object) -> Iterator[Row]:
        """The rows, and them again should there be more steps."""
        return itertools.cycle(self._rows)

    def _started(self, model: Any, view: View, seed: int) -> Any:
        """What it starts with; where that is the method itself, with these rows."""
        started = self._chosen.start(model, view, seed)
        return self if started is self._chosen else started
