"""Somebody's own training script, run unchanged with defences watching over every training in it."""

import json
import runpy
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.errors import ConfigError
from holdfast.files import MANIFEST
from holdfast.interfaces import Model
from holdfast.models.frozen import frozen
from holdfast.models.identity import weights_hash
from holdfast.study.guarding import put, watched_by
from holdfast.study.origin import parent
from holdfast.study.provider import Provided
from holdfast.training.guarding.watching import each_training, outcome, subject

if TYPE_CHECKING:
    from transformers import Trainer


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What came out of a script."""

    runs: list[str]
    """Each training in words."""
    model: Model
    """The model of the last of them, as an ordinary one."""
    aligned: Model | None
    """The model before the first of them, where it was to be kept."""


@dataclass
class _Watch:
    """What is remembered of the trainings in a script."""

    defences: Sequence[Provided]
    keep: bool
    """Whether the model is needed as it was before the first of them."""
    runs: list[str] = field(default_factory=list[str])
    """Each in words."""
    before: Mapping[str, Any] | None = None
    """What `parent` says of it."""
    aligned: Model | None = None
    last: Any = None
    """The trainer of the last one."""

    @contextmanager
    def over(self, trainer: "Trainer") -> Generator[None]:
        """Around one training."""
        kind, start = type(trainer).__name__, subject(trainer)
        if self.before is None:
            known = _known(start)
            self.before = parent(known)
            self.aligned = replace(known, network=frozen(start.network)) if self.keep else None
        put(trainer, start, self.defences)
        yield
        self.last = trainer
        self.runs.append(f"{trainer.state.global_step} steps of {kind}")


def run(script: Path, arguments: Sequence[str], defences: Sequence[Provided], *, keep: bool = False) -> Trained:
    """Run a script as `python script ...` would, with defences over every trainer of transformers or TRL in it.

    Each training is watched from the model that it starts with. Where the script ends by an error or with another
    exit code than 0, that is passed on.

    Args:
        script: a Python file; the folder it lies in is where it imports from.
        arguments: what stands behind it on its command line.
        defences: they act during a training.
        keep: whether to keep a copy of the model before the first training.

    Raises:
        InputError: there is no such script, it trains nothing, or it trains what cannot be guarded.
        Diverged: a loss was not finite.
    """
    if not script.is_file():
        raise ConfigError(f"there is no script {script}.")
    watch = _Watch(defences, keep)
    with each_training(watch.over):
        _as_main(script, arguments)
    if watch.last is None or watch.before is None:
        raise ConfigError(
            f"{script} trained nothing that can be guarded: no trainer of transformers or TRL was told to train() in "
            "it. Look at the arguments behind it; a loop of one's own has no guard."
        )
    model = watched_by(outcome(watch.last), watch.before, defences)
    return Trained(runs=watch.runs, model=model, aligned=watch.aligned)


def _as_main(script: Path, arguments: Sequence[str]) -> None:
    argv, path = sys.argv, list(sys.path)
    sys.argv, sys.path[:] = [str(script), *arguments], [str(script.absolute().parent), *path]
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as left:
        if left.code not in {None, 0}:
            raise
    finally:
        sys.argv, sys.path[:] = argv, path


def _known(start: Model) -> Model:
    """The model with its origin, where its directory tells one and the weights are still those."""
    try:
        origin = json.loads((Path(start.name) / MANIFEST).read_text())
    except (OSError, ValueError):
        return start
    same = origin.get("weights") == weights_hash(start.network)
    return replace(start, origin=origin) if same else start
