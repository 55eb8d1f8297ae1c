"""Reading what a page says as far as the command line can tell that it is right; no work is done."""

import dataclasses
import itertools
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from page_commands import ROOT
from page_programs import built_once, command_line, import_all, pip

from holdfast.models.organisms import ORGANISMS
from holdfast.models.tiny import TINY

_ELSEWHERE: Final = {"hf", "ray", "vllm", "chmod", "sed", "mkdir", "touch", "cat"}
"""Programs that are not ours: what stands behind them is not looked at."""
NOT_WHOLE: Final = (
    "Missing ",
    "requires an argument",
    "name the training script behind",
    "give either a folder",
    "no folder was given",
)
"""What the command line says of a command that is only spoken of."""


class Reached(BaseException):
    """A command has been read, and work would begin; `models` are those that it names."""

    def __init__(self, *models: str | None):
        self.models = [model for model in models if model]


@dataclasses.dataclass
class Reading:
    """Reads a page's commands, up to where each would begin to work."""

    known: set[str]
    """Names of models that there are, or that a command before has made."""
    spoken_of: bool = False
    """Whether the command at hand stands in a sentence, where something may be missing of it."""
    wrong: list[str] = dataclasses.field(default_factory=list[str])

    def handle(self, words: list[str], folder: Path) -> tuple[int, str]:
        """One command."""
        name, *rest = words
        self.known |= set(_made(rest))
        if name == "holdfast":
            self._ours(rest, folder)
        elif name in {"torchrun", "accelerate"}:
            self._launched(rest, folder)
        elif name == "python":
            self._script(rest, folder)
        elif name == "pip":
            code, said = pip(rest, folder)
            self.wrong += [said] if code else []
        elif name == "make":
            targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
            self.wrong += [f"no target {one!r} in the Makefile" for one in rest if one not in targets]
        elif name not in _ELSEWHERE:
            self.wrong.append(f"no command {name!r}")
        return 0, ""

    def _ours(self, words: list[str], folder: Path) -> None:
        try:
            code, said = command_line(words, folder)
        except Reached as reached:
            for model in reached.models:
                if not self._is_there(model):
                    self.wrong.append(
                        f"holdfast {' '.join(words)}: no model {model!r} here, nor made on the page before"
                    )
            return
        options = [word for word in words if word.startswith("-")]
        unfinished = any(one in said for one in NOT_WHOLE) or ("Usage:" in said and not options)
        if code and not (self.spoken_of and unfinished):
            self.wrong.append(f"holdfast {' '.join(words)}: {(said.strip().splitlines() or ['nothing is said'])[-1]}")

    def _launched(self, words: list[str], folder: Path) -> None:
        for flag, value in itertools.pairwise(words):
            if flag == "--config_file" and not (ROOT / value).is_file():
                self.wrong.append(f"no file {value}")
        at = words.index("-m")
        assert words[at + 1] == "holdfast", words
        self._ours(words[at + 2 :], folder)

    def _script(self, words: list[str], folder: Path) -> None:
        if words[0] == "-c":
            compile(words[1], "-c", "exec")
        elif not ((ROOT / words[0]).is_file() or (folder / words[0]).is_file()):
            self.wrong.append(f"no script {words[0]}")

    def _is_there(self, model: str) -> bool:
        name = model.removeprefix("random:").partition("#")[0]
        return name in self.known or name in ORGANISMS or name in TINY


def _made(words: list[str]) -> Iterable[str]:
    """Models that a command may make."""
    for flag, value in itertools.pairwise(words):
        if flag in {"-o", "--output"}:
            yield value
    if words[:2] == ["organism", "export"]:
        yield words[3]


class NoStore:
    """Where results would lie."""

    def __init__(self, url: str | Path):
        self.url, self.local = str(url), Path(url)


def stop_before_work(patch: pytest.MonkeyPatch) -> None:
    """Have every command raise `Reached` where it has read all that it was told."""
    import_all()
    built_once(patch)

    def stops(*which: int | str) -> Callable[..., Any]:
        def stopped(*given: Any, **named: Any) -> Any:
            raise Reached(*(given[one] if isinstance(one, int) else named.get(one) for one in which))

        return stopped

    for place, which in _WORK.items():
        patch.setattr(place, stops(*which))

    def choose(known: Iterable[str]) -> Callable[[str], None]:
        def chosen(name: str) -> None:
            assert name in known, name

        return chosen

    def taught(model: str, task: str, chosen: Mapping[str, Any], *, domain: Any, **_: Any) -> Any:
        from holdfast.errors import UnknownName
        from holdfast.study.named import method

        if task not in domain.tasks():
            raise UnknownName("task", task, domain.tasks())
        method("attacks", "sft", chosen)
        raise Reached(model)

    def replicated(file: Path, tables: Iterable[str], model: str | None, *_: Any) -> Any:
        from holdfast.errors import UnknownName
        from holdfast.study.replication.design import load

        whole = load(file)
        for one in tables:
            if one not in whole.tables:
                raise UnknownName("table", one, whole.tables)
        raise Reached(model)

    def load(name: str, **_: Any) -> Any:
        if sys.argv[1] == "learn":
            return name
        raise Reached(name)

    patch.setattr("holdfast.models.load.load", load)
    patch.setattr("holdfast.study.lesson.learn", taught)
    patch.setattr("holdfast.cli.replicate._asked", replicated)
    patch.setattr("holdfast.models.devices.choose", choose({"cpu", "cuda", "mps", "auto"}))
    patch.setattr("holdfast.models.generators.choose", choose({"transformers", "vllm"}))
    patch.setattr("holdfast.study.store.store.Store", NoStore)
    patch.setattr("holdfast.files.check_output", lambda *_, **__: None)
    patch.setattr("holdfast.metrics.stability.Stability.check", lambda self: None)


_WORK: Final[Mapping[str, tuple[int | str, ...]]] = {
    "holdfast.study.quickstart.study": (),
    "holdfast.study.audit.planned": (0, "base", "oracle"),
    "holdfast.study.depth.depth.depth": (0, 1),
    "holdfast.study.footprint.smaller.Shape": (0,),
    "holdfast.study.script.run": (),
    "holdfast.study.refusals.unpaired": (),
    "holdfast.study.organisms.build": (0,),
    "holdfast.report.build.build": (),
    "holdfast.report.index.collect.collect": (),
    "holdfast.report.verdict.reading.read": (),
    "holdfast.cli.scale._onto": (),
    "holdfast.report.scale.benchmarks.read": (),
    "holdfast.cli.study.played": (),
    "holdfast.study.plan.rounds": (),
    "holdfast.study.runners.chosen.runner": (),
    "holdfast.cli.store._store": (),
    "holdfast.files.write_text": (),
}
"""Where the work of some command begins, and which of the arguments there are models."""
