"""Stability: what a model still can on general tasks, by lm-evaluation-harness.

Source: Rosati et al. 2024, arXiv 2405.14577, Table 3, which is the preset `paper` (`docs/stability.md` tells what each
of its rows is, and what differs), and condition 2 of arXiv 2402.16382.

`stability` is the mean over tasks of which more is better, each task with one weight; `stability_TASK` is one of them;
`stability_guessing` is what guessing gives on the same questions, which no model falls below by losing what it can.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from holdfast.config import config, content_hash
from holdfast.errors import ConfigError
from holdfast.interfaces import Domain, Model
from holdfast.metrics._harness.asking import Asked, ask
from holdfast.metrics._harness.tasks import folders, load
from holdfast.records import Score
from holdfast.statistics.intervals import mean_of, share

_ROWS: Final[Mapping[str, tuple[str, ...]]] = {
    "truthfulqa": ("truthfulqa_mc1", "truthfulqa_mc2"),
    "ethics": ("ethics_cm", "ethics_deontology", "ethics_justice", "ethics_utilitarianism", "ethics_virtue"),
    "crows_pairs": ("crows_pairs_english:pct_stereotype",),
}
"""Rows of the paper that are several tasks of the harness, or not a task's first metric."""
_PAPER: Final = ("truthfulqa", "mmlu", "hellaswag", "winogrande", "arc_easy", "ethics", "crows_pairs")


@config
class Stability:
    """`stability`, `stability_guessing`, and `stability_TASK` for each task of lm-evaluation-harness."""

    tasks: Annotated[tuple[str, ...], Field(min_length=1)] = _PAPER
    """Tasks, groups or tags of the harness, by name; a metric that is not a task's first is put behind it,
    `hellaswag:acc_norm`. `truthfulqa`, `ethics` and `crows_pairs` are the paper's rows."""
    limit: Annotated[int, Field(gt=0)] | None = None
    """So many questions of each task, of each part of a group, from its beginning; None means all."""
    shots: Annotated[int, Field(ge=0)] | None = None
    """Solved examples before each question; None leaves it to the task, most of which have none."""
    batch_size: Annotated[int, Field(gt=0)] = 16
    """Prompts that are read at once."""
    include: Path | None = None
    """A folder with tasks of one's own in the harness's YAML."""
    chat: bool = False
    """Whether questions are put through the model's chat template; the paper's are not."""

    ONCE: ClassVar[bool] = True
    PACKAGES: ClassVar[tuple[str, ...]] = ("lm_eval", "datasets")
    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "paper": {"tasks": _PAPER},
        "instruction": {"tasks": ("ifeval",), "chat": True},
    }

    def __post_init__(self) -> None:
        if twice := [name for at, name in enumerate(self.tasks) if name in self.tasks[:at]]:
            raise ConfigError(f"Stability: tasks: {twice[0]} is there twice.")

    def check(self) -> None:
        """See that the harness is there and knows the tasks. No data are read.

        Raises:
            ConfigError: it is not installed, or the folder of one's own has no tasks.
            UnknownName: there is no such task.
        """
        folders([part.partition(":")[0] for name in self.tasks for part in _parts(name)], self.include)

    def fingerprint(self) -> str | None:
        """The hash of all files in the folder of one's own; None where there is none."""
        if self.include is None:
            return None
        files = sorted(path for path in self.include.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        told = {str(path.relative_to(self.include)): sha256(path.read_bytes()).hexdigest() for path in files}
        return content_hash(told)

    def scores(self, domain: Domain) -> tuple[str, ...]:
        """The names of its scores: of all tasks, and of each."""
        return "stability", "stability_guessing", *(f"stability_{_plain(name)}" for name in self.tasks)

    def measure(self, model: Model, domain: Domain, seed: int) -> dict[str, Score]:
        """Put every question to the model, after all tasks are known to be there.

        Raises:
            DataError: a task or its data cannot be had.
            ConfigError, UnknownName: as for `check`.
        """
        parts = {name: [part.partition(":") for part in _parts(name)] for name in self.tasks}
        plain = [part for some in parts.values() for part, _, _ in some]
        loaded = load(plain, folders(plain, self.include))
        how: dict[str, Any] = {name: getattr(self, name) for name in ("limit", "shots", "batch_size", "chat")}
        rows = {
            name: [ask(model, task, metric or None, **how) for part, _, metric in some for task in loaded[part]]
            for name, some in parts.items()
        }
        scores = {f"stability_{_plain(name)}": _pooled(row) for name, row in rows.items()}
        return {**_whole({self._how(name, row): row for name, row in rows.items() if row[0].rises}), **scores}

    def _how(self, name: str, row: Sequence[Asked]) -> str:
        """A task with all that decides its figure beside the questions: what differs in that is not to be compared."""
        cut = sum(part.cut for part in row)
        told = [row[0].metric, f"{row[0].shots}-shot", "chat" if self.chat else "", f"{cut} cut" if cut else ""]
        return f"{_plain(name)} ({', '.join(filter(None, told))})"


def _parts(name: str) -> tuple[str, ...]:
    return _ROWS.get(name, (name,))


def _plain(name: str) -> str:
    return name.partition(":")[0]


def _pooled(row: Sequence[Asked]) -> Score:
    """All questions of a row together, each with one weight, as the harness weights MMLU; part by part beside it."""
    if reasons := [f"{part.task}: {part.reason}" for part in row if part.reason]:
        return Score(value=None, reason="; ".join(reasons))
    whole = share([value for part in row for value in part.values])
    several = {part.task: share(part.values) for part in row} if len(row) > 1 else {}
    return dataclasses.replace(whole, categories=several)


def _whole(rows: Mapping[str, Sequence[Asked]]) -> dict[str, Score]:
    """The mean over rows, and what guessing gives."""
    pooled = {name: dataclasses.replace(_pooled(row), categories={}) for name, row in rows.items()}
    if not pooled:
        return {"stability": Score(value=None, reason="of none of the tasks more is better")}
    found = mean_of(pooled)
    if found.value is None:
        return {"stability": found}
    guessed = [
        sum(part.guessed * len(part.values) for part in row) / sum(len(part.values) for part in row)
        for row in rows.values()
    ]
    return {"stability": found, "stability_guessing": Score(value=sum(guessed) / len(guessed), n=found.n)}
