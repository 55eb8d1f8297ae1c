"""What a cell will take, before it runs: training and measuring FLOPs, and from them the time.

FLOPs: 6 x parameters a token trained on and 2 a token read or generated (Kaplan et al. 2020, arXiv
2001.08361, section 2.1). Tokens are guessed from words. A method that goes through its batch more than
once, or trains a LoRA, takes more or less than that; the records say what was spent.
"""

import functools
import itertools
import json
import math
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from holdfast.config import canonical
from holdfast.interfaces import Exchange, View
from holdfast.models.naming import parts
from holdfast.study.cells import Cell, Verb, ancestors
from holdfast.study.named import open_domain
from holdfast.study.store.store import Entry
from holdfast.study.view import attacker, defender

_TOKENS_A_WORD: Final = 1.3
_LOOKED_AT: Final = 32
"""Rows whose length is looked at."""
_FLOPS_A_SECOND: Final = 2e10
"""Of one core, where no cell was measured yet: arcana on a server's core, all overhead counted."""


def flops(cell: Cell) -> float | None:
    """FLOPs that a cell will take; None where that is not known before it is run."""
    size = parameters(cell.model if isinstance(cell.model, str) else str(ancestors(cell)[-1].model))
    if size is None:
        return None  # its model is not on this machine
    if any(getattr(metric, "ONCE", False) for metric in cell.measures):
        return None  # it asks far more than the domain has
    steps = getattr(getattr(cell.built, "training", None), "steps", 0)
    rungs = len({step for step in cell.ladder if step < steps} | {steps})
    task = cell.method if cell.verb == "learn" else None
    try:
        measured = 0.0 if cell.verb == "harden" else 2 * rungs * _asked(cell.domain, cell.categories, task)
        trained = _trained(cell)
        return None if trained is None else size * (6 * trained + measured)
    except Exception:
        return None  # its data or its plug-in are unfit, as it will say when it is run


def seconds(cells: Iterable[Cell], there: Mapping[str, Entry]) -> dict[str, float]:
    """Seconds that each cell will take on one core, by key, from what those that are done have taken."""
    cells = list(cells)
    guessed = {cell.key: flops(cell) or 0.0 for cell in cells}
    done = {key: entry.seconds for key, entry in there.items() if entry.seconds and guessed.get(key)}
    known = sum(guessed[key] for key in done)
    rate = known / sum(done.values()) if known else _FLOPS_A_SECOND
    return {key: need / rate for key, need in guessed.items()}


@functools.cache
def parameters(model: str) -> int | None:
    """How many weights a model has, from the headers of its files; None where they are not on this machine."""
    place = parts(model).place
    files = sorted(place.glob("*.safetensors")) if place.is_dir() else []
    try:
        return sum(map(_weights, files)) or None
    except (OSError, ValueError, KeyError, TypeError, struct.error):
        return None  # no safetensors, as will be said when they are loaded


def _weights(path: Path) -> int:
    """The header of a safetensors file: eight bytes that tell its length, then JSON with every tensor's shape."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > path.stat().st_size:
            raise ValueError("no header of safetensors")
        header: dict[str, Any] = json.loads(file.read(length))
    return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")


def _trained(cell: Cell) -> float | None:
    """Tokens that a method trains on; None where its rows are made of the model itself."""
    training = getattr(cell.built, "training", None)
    if training is None:
        return 0.0
    if not hasattr(cell.built, "rows"):
        return None
    given = {name: value for name, value in cell.settings.items() if not name.startswith("training.")}
    each = _row(cell.verb, cell.method, canonical(given), cell.domain, cell.categories)
    return each * training.batch_size * training.steps


@functools.cache
def _row(verb: Verb, name: str, given: str, domain: str, categories: tuple[str, ...]) -> float:
    """Tokens in a row of a method's batch, on average, however it trains."""
    cell = Cell(verb=verb, model="", method=name, settings=json.loads(given), domain=domain, categories=categories)
    rows = list(itertools.islice(cell.built.rows(_view(verb, name, domain, categories), 0), _LOOKED_AT))
    return sum(_length(exchange) for row in rows for exchange in row.values()) / max(1, len(rows))


def _view(verb: Verb, name: str, domain: str, categories: tuple[str, ...]) -> View:
    """What a method may train on."""
    data = open_domain(domain, categories)
    if verb == "learn":
        return View(pairs=(), exchanges=data.exchanges(f"{name}-train"))
    return defender(data) if verb == "harden" else attacker(data)


@functools.cache
def _asked(name: str, categories: tuple[str, ...], task: str | None) -> float:
    """Tokens that one measurement reads and writes: every question, and an answer of the greatest length."""
    data = open_domain(name, categories)
    if task:
        questions = [exchange.prompt for exchange in data.exchanges(f"{task}-test")]
    else:
        questions = [pair.prompt for pair in data.pairs("evaluation")]
        if "permitted" in data.splits():
            questions += [exchange.prompt for exchange in data.exchanges("permitted")]
    return sum(len(text.split()) * _TOKENS_A_WORD + data.max_new_tokens for text in questions)


def _length(exchange: Exchange) -> float:
    return len(f"{exchange.prompt} {exchange.answer}".split()) * _TOKENS_A_WORD
