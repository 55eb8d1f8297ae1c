"""Do one cell, wherever that is: load its model, run it, and leave its result in the store."""

import dataclasses
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final

from holdfast.errors import StoreError
from holdfast.interfaces import Model
from holdfast.study.cells import Cell
from holdfast.study.fingerprint import model_fingerprint
from holdfast.study.store.store import Store

_SMALL: Final = 50_000_000
"""Parameters up to which a model is kept loaded for the next cell."""
_loaded: dict[str, Model] = {}


def do(cell: Cell, key: str, store: Store, report: Callable[[float], None]) -> None:
    """Do a cell and put its result into the store, unless another runner has done so meanwhile.

    Args:
        cell: what is to be done.
        key: its key where the study was planned: here it must be the same.
        store: where its model comes from and its result goes.
        report: is told the share that is done.

    Raises:
        StoreError: the store cannot be used, or the code here is not the code that planned the study.
        HoldfastError: the cell failed; one that diverged while it was measured is a record.
    """
    if cell.key != key:
        raise StoreError(
            "the code, the libraries, the data or the model here are not those that the study was planned with: have "
            "the same everywhere, and run it again."
        )
    if cell.is_in(store.entries([key for key in (cell.key, cell.weights_key) if key])):
        return
    with _temporary_files(store):
        _do(cell, key, store, report)


def _do(cell: Cell, key: str, store: Store, report: Callable[[float], None]) -> None:
    started = time.monotonic()
    model, mine = _model(cell, store)
    loading = time.monotonic() - started

    def on_step(progress: Any, _: Any) -> None:
        report(progress.step / max(1, progress.total))

    made, record = _run(cell, model, mine, on_step)
    about = {**cell.about, "loading": loading, "working": record and record.seconds}
    seconds = time.monotonic() - started
    if record is None:
        _keep(cell, made, key, about, seconds, store)
        return
    if cell.weights_key and not record.failure:
        _keep(cell, made, cell.weights_key, {"verb": "weights", "of": key}, seconds, store)
    # Last, because it is what makes the cell count as done. How long it took is the manifest's to tell.
    store.put_record(key, dataclasses.replace(record, seconds=None), about=about, seconds=seconds)


@contextmanager
def _temporary_files(store: Store) -> Generator[None]:
    """Have what libraries write for the time being lie in the store's scratch, which is swept where this is killed."""
    before = tempfile.tempdir
    with store.scratch() as scratch:
        tempfile.tempdir = str(scratch)
        try:
            yield
        finally:
            tempfile.tempdir = before


def _run(cell: Cell, model: Model, mine: bool, on_step: Any) -> tuple[Any, Any]:
    """The model that a cell makes, and its record where it has one."""
    from holdfast.study import experiment, lesson

    common: dict[str, Any] = {"domain": cell.domain, "seed": cell.seed, "in_place": mine, "on_step": on_step}
    if cell.verb == "harden":
        return experiment.harden(model, cell.built, categories=cell.categories, **common), None
    common |= {"role": cell.role, "ladder": cell.ladder, "provider": cell.provider}
    if cell.verb == "learn":
        return lesson.learn(model, cell.method, cell.settings, **common)
    return experiment.attack(
        model,
        cell.built,
        categories=cell.categories,
        metrics=cell.measures,
        purpose=cell.purpose,
        stop=cell.stop,
        **common,
    )


def _model(cell: Cell, store: Store) -> tuple[Model, bool]:
    """The model that a cell starts from, under the name that it has wherever the store is; whether it may be changed.

    It may where it is not kept for the next cell: a copy of a large one is as large.
    """
    from holdfast.models.load import load

    parent = cell.model
    key = parent.key if isinstance(parent, Cell) else f"{parent} {model_fingerprint(parent)}"
    if key in _loaded:
        return _loaded[key], False
    if isinstance(parent, Cell):
        with store.model(key) as place:
            model = load(str(place))
    else:
        model = load(parent)
    model = dataclasses.replace(model, name=Cell.title(parent))
    _loaded.clear()
    small = sum(weight.numel() for weight in model.network.parameters()) <= _SMALL
    if small:
        _loaded[key] = model
    return model, not small


def _keep(cell: Cell, model: Model, key: str, about: dict[str, Any], seconds: float, store: Store) -> None:
    from holdfast.models.save import save

    with store.scratch() as scratch:
        save(model, scratch / "model")
        store.put_model(key, f"{Cell.title(cell.model)}+{cell.method}", scratch / "model", about=about, seconds=seconds)
