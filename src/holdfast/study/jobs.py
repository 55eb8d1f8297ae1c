"""Jobs: harden a model, attack one, or teach one a task. Each is known by the hash of all that decides its result.

What a job makes lies under that hash, so a run that was stopped goes on where it was, and nothing
stale is ever reused.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from holdfast.config import content_hash
from holdfast.files import MANIFEST, write_text
from holdfast.models.save import versions
from holdfast.records import Role
from holdfast.study.origin import code_hash

RECORDS = "records"
MODELS = "models"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One cell of a study, on the embedded domain."""

    verb: Literal["harden", "attack", "learn"]
    model: "str | Job"
    """What is loaded: a model's name, or the job that makes it."""
    method: str
    """The defence, the attack or the task."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Fields that are set, nested ones dotted."""
    role: Role = "undefended"
    categories: tuple[str, ...] = ()
    """The only harmful categories that are used; none means all."""
    ladder: tuple[int, ...] = ()
    seed: int = 0

    def key(self) -> str:
        """The hash of all that decides the result."""
        parent = self.model.key() if isinstance(self.model, Job) else self.model
        made_with = {"code": code_hash(), "versions": versions()}
        return content_hash({**dataclasses.asdict(self), "model": parent, **made_with})

    def place(self, output: Path) -> Path:
        """Where the result lies: a model's directory, or a record."""
        if self.verb == "harden":
            return output / MODELS / f"{self.model}-{self.method}-{self.key()[:12]}"
        return output / RECORDS / f"{self.key()}.json"

    def done(self, output: Path) -> bool:
        """Whether the result is there; it is written whole or not at all."""
        place = self.place(output)
        return (place / MANIFEST if self.verb == "harden" else place).is_file()

    @property
    def steps(self) -> int:
        """Optimiser steps, as far as the settings say."""
        return int(self.settings.get("training.steps", 100 if self.verb == "harden" else 0))

    @property
    def work(self) -> int:
        """About how many tenths of a second it takes: what a bar of progress goes by."""
        batch = int(self.settings.get("training.batch_size", 16))
        each = 4.0 if self.verb == "harden" else 0.2 + 0.02 * batch
        return 10 + round(each * self.steps) + 6 * len(self.ladder)

    def run(self, output: Path, on_step: Callable[[Any, Any], None]) -> None:
        """Do it, in a process that has torch, unless it is done already."""
        from holdfast.models.save import save
        from holdfast.study import cell, lesson

        if self.done(output):
            return
        model = str(self.model.place(output)) if isinstance(self.model, Job) else self.model
        common: dict[str, Any] = {"seed": self.seed, "on_step": on_step}
        if self.verb == "harden":
            hardened = cell.harden(model, self.method, self.settings, categories=self.categories, **common)
            save(hardened, self.place(output), overwrite=True)
            return
        common |= {"role": self.role, "ladder": self.ladder}
        if self.verb == "learn":
            _, record = lesson.learn(model, self.method, self.settings, **common)
        else:
            _, record = cell.attack(model, self.method, self.settings, categories=self.categories, **common)
        write_text(self.place(output), json.dumps(record.to_json()) + "\n")
