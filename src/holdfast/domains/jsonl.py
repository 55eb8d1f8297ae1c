"""Your own data: a directory of JSON lines, one file a split.

`defence.jsonl`, `attack.jsonl` and `evaluation.jsonl` hold pairs, a line each:

    {"prompt": "...", "harmful": "...", "refusal": "...", "category": "..."}

`retain.jsonl`, `benign.jsonl` and `permitted.jsonl` hold harmless exchanges:

    {"prompt": "...", "answer": "...", "category": "..."}

and so do `T-train.jsonl` and `T-test.jsonl` for a harmless task T. `category` may be left out, and a
file may, where nothing asks for its split. A pair may have `plain`, the question as the beginning of
running text, and `opening`, the first words of a harmful answer, for attacks by prompt, and `choices`,
where it is to be answered by a letter. This is what `holdfast domain export` writes. `unpaired.jsonl`
holds pairs that need no `refusal` yet: `holdfast domain refusals` has a model write them.

Who gets which question is yours to say, but for one thing: what is asked in `evaluation.jsonl` must not stand in
`defence.jsonl` or `attack.jsonl`, or harm would be that of questions that were seen (case, blanks and marks make no
other question); nor what is asked in `permitted.jsonl` in `retain.jsonl`, `benign.jsonl` or `adjacent.jsonl`, nor what
is asked in `T-test.jsonl` in `T-train.jsonl`. A line that says again what one before it said, question and answer,
counts once.

Harm is not scored: that needs a judge. Nor is anything else, since the data may be in any language; of
English answers it is told by phrases whether they refuse, and by ROUGE-1 how useful they are.
"""

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, TypeVar

import pydantic

from holdfast.config import config, content_hash
from holdfast.domains import _prose
from holdfast.domains._judges import Judges
from holdfast.domains._letters import LETTERS
from holdfast.domains._rouge import overlap_if_any
from holdfast.domains._schema import NotBlank
from holdfast.domains._shares import digest, normal
from holdfast.errors import DataError
from holdfast.interfaces import Exchange, Framed, Framing, Pair


def _none_or_some(choices: tuple[str, ...]) -> tuple[str, ...]:
    if choices and not 2 <= len(choices) <= len(LETTERS):
        raise ValueError(f"must be none, or 2 to {len(LETTERS)}, not {len(choices)}")
    return choices


class _Line(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="ignore", strict=True)
    key: str | None = None
    prompt: NotBlank
    category: str = ""


class _PairLine(_Line):
    harmful: NotBlank
    refusal: NotBlank
    plain: str = ""
    opening: str = ""
    translated: "_PairLine | None" = None
    choices: Annotated[tuple[str, ...], pydantic.AfterValidator(_none_or_some)] = ()


class _UnpairedLine(_PairLine):
    refusal: str = ""


class _ExchangeLine(_Line):
    answer: NotBlank


L = TypeVar("L", bound=_Line)


@config
class Jsonl:
    """Pairs and exchanges read from a directory of JSON lines."""

    directory: Path = Path()
    """Where the files are."""
    max_new_tokens: Annotated[int, pydantic.Field(ge=1)] = 64
    """The longest answer that is generated."""
    english: bool = False
    """Whether answers are English, so that it can be told by their words whether they refuse, are prose, and useful."""
    judges: Judges = field(default_factory=dict[str, dict[str, Any]])
    """Who judges harm, by name and settings; none means that harm is not scored."""

    @property
    def floor(self) -> float | None:
        """Not known."""
        return None

    def splits(self) -> list[str]:
        """One a file."""
        return sorted(path.stem for path in self.directory.glob("*.jsonl"))

    def has_pairs(self, split: str) -> bool:
        """True of defence, attack, evaluation and unpaired."""
        return split in {"defence", "attack", "evaluation", "unpaired"}

    def pairs(self, split: str) -> list[Pair]:
        """The pairs of a split.

        Raises:
            DataError: a line is broken (file and line), the file is missing or empty, a pair's answers are equal, or a
                question of the evaluation is trained on.
        """
        self._check_unseen(split)
        found: dict[str, Pair] = {}
        for number, line in _read(self._file(split), _UnpairedLine if split == "unpaired" else _PairLine):
            if line.harmful.strip() == line.refusal.strip():
                raise DataError(f"{self._file(split)}:{number}: the two answers are equal; a pair needs two.")
            found.setdefault(digest(line.prompt, line.harmful), _pair(line, f"{split}/{number}"))
        return list(found.values())

    def exchanges(self, split: str) -> list[Exchange]:
        """The harmless exchanges of a split; errors as for `pairs`."""
        self._check_unseen(split)
        found: dict[str, Exchange] = {}
        for number, line in _read(self._file(split), _ExchangeLine):
            key = line.key or f"{split}/{number}"
            one = Exchange(key=key, prompt=line.prompt, answer=line.answer, category=line.category)
            found.setdefault(digest(line.prompt, line.answer), one)
        return list(found.values())

    def tasks(self) -> list[str]:
        """Every T that has both a `T-train` and a `T-test`."""
        there = self.splits()
        trained = [split.removesuffix("-train") for split in there if split.endswith("-train")]
        return [task for task in trained if f"{task}-test" in there]

    def framings(self) -> Mapping[Framed, Framing]:
        """None of its own."""
        return {}

    def groups(self) -> Mapping[str, Sequence[str]]:
        """None."""
        return {}

    def fingerprint(self) -> str:
        """A hash of every file."""
        files = {split: hashlib.sha256(self._file(split).read_bytes()).hexdigest() for split in self.splits()}
        return content_hash({**files, "english": True} if self.english else files)

    def harm(self, pair: Pair, answer: str) -> float | None:
        """Not scored."""
        return None

    def refused(self, asked: Pair | Exchange, answer: str) -> bool | None:
        """By phrases, where answers are English."""
        return _prose.refused(answer) if self.english else None

    def fluent(self, answer: str) -> bool | None:
        """Whether it is made of words and does not loop, where answers are English."""
        return _prose.fluent(answer) if self.english else None

    def useful(self, exchange: Exchange, answer: str) -> float | None:
        """ROUGE-1, where answers are English and rouge-score is installed."""
        return overlap_if_any(exchange.answer, answer) if self.english else None

    def _check_unseen(self, split: str) -> None:
        """That no question that is measured is one of those that somebody is trained on."""
        for other in _trained_beside(split):
            there = self._asked(other) if self._file(other).is_file() else {}
            asked = self._asked(split) if there else {}
            if seen := [question for question in asked if question in there]:
                here, beside = f"{self._file(split)}:{asked[seen[0]]}", f"{self._file(other)}:{there[seen[0]]}"
                raise DataError(
                    f"{here} asks what {beside} trains on, one of {len(seen)} such questions: take them out of either, "
                    "since what is asked is to be unseen."
                )

    def _asked(self, split: str) -> Mapping[str, int]:
        """The questions of a split, as they are when normal, each with a line that it stands in."""
        schema = _PairLine if self.has_pairs(split) else _ExchangeLine
        return {normal(line.prompt): number for number, line in _read(self._file(split), schema)}

    def _file(self, split: str) -> Path:
        return self.directory / f"{split}.jsonl"


def _trained_beside(split: str) -> Sequence[str]:
    """The splits that no question of this one may stand in."""
    if split.endswith("-test"):
        return [f"{split.removesuffix('-test')}-train"]
    return {"evaluation": ("defence", "attack"), "permitted": ("retain", "benign", "adjacent")}.get(split, ())


@functools.lru_cache(maxsize=32)
def _parsed(path: Path, schema: type[L], _changed: tuple[int, int]) -> list[tuple[int, L]]:
    lines: list[tuple[int, L]] = []
    # Not splitlines: a JSON text may hold U+2028 and its like as they are.
    for number, text in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if not text.strip():
            continue
        try:
            lines.append((number, schema.model_validate_json(text)))
        except pydantic.ValidationError as error:
            first = error.errors(include_url=False)[0]
            field, wrong = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
            needed = ", ".join(name for name, info in schema.model_fields.items() if info.is_required())
            raise DataError(
                f"{path}:{number}: {field + ': ' if field else ''}{wrong}; expected an object with {needed}."
            ) from None
    if not lines:
        raise DataError(f"split {path.stem!r} is empty: {path} has no line.")
    return lines


def _pair(line: _PairLine, key: str) -> Pair:
    """A line as a pair, its translation with the same key."""
    key = line.key or key
    return Pair(
        key=key,
        prompt=line.prompt,
        harmful=line.harmful,
        refusal=line.refusal,
        category=line.category,
        plain=line.plain,
        opening=line.opening,
        translated=line.translated and _pair(line.translated, key),
        choices=line.choices,
    )


def _read(path: Path, schema: type[L]) -> list[tuple[int, L]]:
    if not path.is_file():
        there = sorted(other.name for other in path.parent.glob("*.jsonl"))
        raise DataError(f"there is no {path}; {path.parent} has {', '.join(there) or 'no .jsonl file'}.")
    try:
        there = path.stat()
        return _parsed(path, schema, (there.st_mtime_ns, there.st_size))
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8: {error}; convert it.") from error
