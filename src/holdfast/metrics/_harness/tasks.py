"""Tasks of lm-evaluation-harness by name: where they are described, and with their data.

Importing the harness takes seconds, so names are looked for in its files as text; it is imported to load a task.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from holdfast.errors import ConfigError, DataError, UnknownName
from holdfast.metrics._harness.hush import hushed, line

_NAMED: Final = re.compile(r"^\s*(?:(?:task|group|tag): *|- +)[\"']?([\w.-]+)[\"']? *$", re.MULTILINE)
"""A line of YAML that names a task, a group of tasks, or a tag that several have."""
_TRIED: Final = 64
"""Questions of a task whose scoring is tried before any is asked."""
_HOW: Final = (
    "fetch its data set once where the Hub can be reached (load_dataset, as its YAML names it), leave the task out, or "
    "ask tasks of your own (include=FOLDER)."
)


def folders(names: Iterable[str], include: Path | None) -> list[Path]:
    """The folders in which tasks, groups or tags of these names are described: the user's before the harness's own.

    Raises:
        ConfigError: the harness is not installed, or the user's folder has no YAML.
        UnknownName: nobody describes one of them.
    """
    place = _installed()
    if include is not None and not any(include.glob("**/*.yaml")):
        raise ConfigError(
            f"include: {include} is no folder with tasks: expected YAML files in it, as docs/stability.md."
        )
    own: set[str] = set().union(*map(_names, include.glob("**/*.yaml"))) if include else set()
    found = {include} if include else set[Path]()
    for name in names:
        if name not in own:
            found.add(_folder(name, place, own))
    return sorted(found)


def load(names: Sequence[str], where: Sequence[Path]) -> dict[str, list[Any]]:
    """The tasks of each name, with their data: one, or all of a group or tag.

    Args:
        names: of tasks, groups or tags.
        where: what `folders` said of them.

    Raises:
        DataError: a task or its data set cannot be had; the message names it.
    """
    from lm_eval.tasks import TaskManager

    manager, found = TaskManager(include_path=[*where], include_defaults=False), dict[str, list[Any]]()
    for name in names:
        try:
            with hushed():
                if not _whole(manager, name):  # all of the harness, which takes a while to look through
                    manager = TaskManager(include_path=[*where])
                loaded = manager.load([name])
                for task in loaded["tasks"].values():
                    _rehearse(task)
        except Exception as error:
            raise DataError(f"the task {name} cannot be loaded: {line(error)}; {_HOW}") from error
        found[name] = [task for _, task in sorted(loaded["tasks"].items())]  # those of a tag come in any order
    return found


def _rehearse(task: Any) -> None:
    """Score a few answers that nobody gave: a package or a resource that is missing shows before any is made."""
    if task.OUTPUT_TYPE == "generate_until":
        for doc in itertools.islice(task.eval_docs, _TRIED):
            task.process_results(doc, ["Sorry. No."])


def _whole(manager: Any, name: str) -> bool:
    """Whether a manager knows all that a group is made of, however deep."""
    entry = manager.task_index.get(name)
    if entry is None:
        return False
    children = (entry.cfg or {}).get("task", ()) if entry.kind.name == "GROUP" else ()
    return all(_whole(manager, child) for child in children if isinstance(child, str))


def _installed() -> Path:
    """The harness's own folder of tasks."""
    found = find_spec("lm_eval")
    if found is None or not found.submodule_search_locations:
        raise ConfigError("lm-evaluation-harness is not installed: pip install 'holdfast[eval]'.")
    return Path(next(iter(found.submodule_search_locations))) / "tasks"


def _folder(name: str, place: Path, own: set[str]) -> Path:
    """The folder of the harness that has a name; those first whose own name shares a word with it."""
    words = set(re.split(r"[_-]", name))
    ordered = sorted(
        (path for path in place.iterdir() if path.is_dir()),
        key=lambda path: (-len(words & set(re.split(r"[_-]", path.name))), path.name),
    )
    every = set(own)
    for folder in ordered:
        for path in folder.glob("**/*.yaml"):
            found = _names(path)
            if name in found:
                return folder
            every |= found
    raise UnknownName("task of lm-evaluation-harness", name, every)


def _names(path: Path) -> set[str]:
    return set(_NAMED.findall(path.read_text(encoding="utf-8", errors="replace")))
