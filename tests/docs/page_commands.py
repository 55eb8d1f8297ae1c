"""What the pages of the site tell a reader to type: commands and files, page by page and in order.

A command stands in a block by indentation, in a fenced block of shell, in a job's `run`, or between backticks in a
sentence. A file stands in a fenced block under a line that is nothing but its name: `own/brews.yaml`:
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))
_WORDS = "holdfast make python pip ray vllm torchrun accelerate hf"
_OTHERS = "export chmod sed mkdir touch cat cd cp . for while"
_SPAN = re.compile(rf"(?<!`)`((?:{'|'.join(_WORDS.split())})\s[^`]+)`(?!`)")
_SHELL = re.compile(rf"(?:[A-Z_]+=\S* )*(?:{'|'.join(map(re.escape, [*_WORDS.split(), *_OTHERS.split()]))})(?:\s|$)")
_FENCE = re.compile(r"^ *(```+|~~~+) *([\w-]*)")
_NAMED = re.compile(r"^`([\w./-]+)`:$")
_OPENS = re.compile(r"^\s*(?:for|while|until|if|case)\b")
_CLOSES = re.compile(r"(?:^|;|\s)(?:done|fi|esac)\s*$")


@dataclass(frozen=True)
class Step:
    """One thing that a reader does."""

    page: str
    line: int
    """Counted from 1."""
    kind: Literal["block", "span", "file"]
    text: str
    """A whole command, which may be a loop; or what stands in a file."""
    name: str = ""
    """The file's."""

    @property
    def place(self) -> str:
        return f"docs/{self.page}:{self.line}"


@functools.cache
def steps(page: str) -> tuple[Step, ...]:
    """Everything on a page, in its order."""
    return tuple(steps_of((DOCS / page).read_text(encoding="utf-8"), page))


def steps_of(text: str, page: str) -> list[Step]:
    """The same of a page that is given."""
    lines = text.splitlines()
    prose, found = list(lines), list[Step]()
    for start, end, language in _blocks(lines):
        fenced = language is not None
        inner = lines[start + 1 : end - 1] if fenced else lines[start:end]
        prose[start:end] = [""] * (end - start)
        named = _NAMED.match(next((line for line in reversed(lines[:start]) if line.strip()), ""))
        if fenced and named:
            found.append(Step(page, start + 2, "file", "\n".join(inner) + "\n", named[1]))
        elif fenced and language in {"sh", "bash", "shell", "console"}:
            found.append(Step(page, start + 2, "block", "\n".join(inner)))
        elif fenced and language in {"yaml", "yml"}:
            found += [Step(page, at + start + 2, "block", text) for at, text in _jobs(inner)]
        elif not fenced and _SHELL.match(next(line for line in inner if line.strip()).strip()):
            found += [Step(page, at + start + 1, "block", text) for at, text in _commands(inner)]
    spoken = "\n".join(prose)
    for span in _SPAN.finditer(spoken):
        line = spoken[: span.start()].count("\n") + 1
        if "\n\n" not in span[1]:
            found.append(Step(page, line, "span", " ".join(span[1].split())))
    return sorted(found, key=lambda step: step.line)


def _blocks(lines: list[str]) -> Iterator[tuple[int, int, str | None]]:
    """Blocks of code from where to where; a fenced one has a language, perhaps an empty one."""
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        if fence:
            end = next(no for no in range(at + 1, len(lines)) if lines[no].strip() == fence[1])
            yield at, end + 1, fence[2]
            at = end + 1
        elif lines[at].startswith("    ") and lines[at].strip() and (at == 0 or not lines[at - 1].strip()):
            end = at
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            while not lines[end - 1].strip():
                end -= 1
            yield at, end, None
            at = end
        else:
            at += 1


def _commands(lines: list[str]) -> Iterator[tuple[int, str]]:
    """The commands of a block, each with the number of its first line: continued lines and loops are one."""
    whole, first, depth = list[str](), 0, 0
    for at, line in enumerate(lines):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        first = first if whole else at
        whole.append(line.removeprefix("    "))
        depth += bool(_OPENS.match(line)) - bool(_CLOSES.search(line))
        if not depth and not line.endswith("\\"):
            yield first, "\n".join(whole).strip()
            whole = []
    assert not whole, f"a command that does not end: {whole}"


def _jobs(lines: list[str]) -> Iterator[tuple[int, str]]:
    """What the steps of a workflow run, each with the number of its line; none of what is no workflow."""
    read = yaml.safe_load("\n".join(lines))
    for job in read.get("jobs", {}).values() if isinstance(read, dict) else ():
        for one in job["steps"]:
            if "run" in one:
                first = one["run"].splitlines()[0]
                yield next(at for at, line in enumerate(lines) if first in line), one["run"].strip()
