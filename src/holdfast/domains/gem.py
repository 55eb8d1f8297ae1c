"""GEM: harmless tasks, a description to its structured data: trainability as in the RepNoise paper's Table 4.

Data: five data sets of the GEM benchmark (Gehrmann et al. 2021, arXiv 2102.01672), learnt backwards: viggo, e2e_nlg,
dart, conversational_weather and CACAPO_E2E. Source of fields and wording: `gem_dataset` in
github.com/domenicrosati/representation-noising, `representation_noising/datasets.py`.

Defaults: 25 tokens, as there. 300 questions are asked where the paper asked all: 1,083 to 5,097 at every measurement.

Divergences: the question goes through the chat template and only its answer is trained on; there the whole text was.
`holdfast learn` takes the customer's recipe, not one epoch at 8e-5: `-s` sets it. GEM's own splits are kept, but for a
question of the test split that stands in the training split, too.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple, cast, get_args

import pydantic

from holdfast.config import config, content_hash
from holdfast.domains import _prose, _rouge
from holdfast.domains._files import state
from holdfast.domains._judges import Judges
from holdfast.domains._notice import Notice, show_once
from holdfast.domains._schema import Row, rows
from holdfast.domains._shares import deal, digest, first, normal, once
from holdfast.domains._wanted import Wanted
from holdfast.domains._written import Splits
from holdfast.errors import DataError, UnknownName
from holdfast.interfaces import Exchange, Framed, Framing, Pair

Task = Literal["viggo", "e2e_nlg", "dart", "conversational_weather", "CACAPO_E2E"]


class _Fields(NamedTuple):
    """Of one data set: what is asked, what is answered, and how both are called."""

    asked: str
    answered: str
    question: str = "Description"
    answer: str = "Meaning Representation"


_FIELDS: Final[Mapping[Task, _Fields]] = {
    "viggo": _Fields("target", "meaning_representation"),
    "e2e_nlg": _Fields("target", "meaning_representation"),
    "dart": _Fields("target", "tripleset"),
    "conversational_weather": _Fields("user_query", "tree_str_mr", "User Query", "Tree String"),
    "CACAPO_E2E": _Fields("output", "input"),
}
_Count = Annotated[int, pydantic.Field(ge=0)]


class _Row(Row):
    asked: str
    answered: str | list[Any]


@config
class Gem:
    """Harmless tasks, from a description to structured data. It has no harmful pairs."""

    NOTICE: ClassVar[Notice] = Notice(
        name="gem",
        warning="harmless: restaurants, games, sports, weather, news",
        address="https://huggingface.co/GEM",
        licence="CC-BY-SA-4.0 (viggo, e2e_nlg), MIT (dart), CC-BY-NC-4.0 (conversational_weather), "
        "CC-BY-4.0 (CACAPO_E2E)",
        size="142,000 exchanges to learn and 14,000 to test, 60 MB",
        cite="Gehrmann et al. 2021, arXiv 2102.01672, and the authors of each",
    )
    HARMLESS: ClassVar[bool] = True
    floor: ClassVar[float | None] = None

    chosen: Annotated[tuple[Task, ...], pydantic.Field(min_length=1)] = get_args(Task)
    """Which tasks."""
    source: str = "GEM"
    """A name of the hub that has a data set a task, or a folder that has TASK/train and TASK/test files."""
    revision: str = ""
    """A commit or branch of all of those on the hub; empty is the newest."""
    train: _Count = 0
    """Exchanges to learn from; 0 is all."""
    test: _Count = 300
    """Questions that are asked; 0 is all."""
    seed: _Count = 0
    """Decides their order."""
    max_new_tokens: Annotated[int, pydantic.Field(ge=1)] = 25
    """The longest answer that is generated."""
    judges: Judges = field(default_factory=dict[str, dict[str, Any]])
    """Not asked: nothing here is harmful."""

    def splits(self) -> list[str]:
        """Two a task; what has not been read yet may turn out not to be there."""
        return [f"{task}-{part}" for task in self.chosen for part in ("train", "test")]

    def has_pairs(self, split: str) -> bool:
        """None has."""
        return False

    def pairs(self, split: str) -> list[Pair]:
        """None: a DataError."""
        raise DataError(f"gem has no harmful pairs, and no split {split!r}: its tasks are to be learnt.")

    def exchanges(self, split: str) -> list[Exchange]:
        """The exchanges of a task.

        Raises:
            UnknownName: there is no such split.
            DataError: its data set cannot be had, or a row of it does not fit.
        """
        if split not in self.splits():
            raise UnknownName("split of gem", split, self.splits())
        show_once(self.NOTICE)
        task = split.rpartition("-")[0]
        return list(self._task(cast(Task, task)).exchanges[split])

    def tasks(self) -> list[str]:
        """Those chosen."""
        return list(self.chosen)

    def framings(self) -> Mapping[Framed, Framing]:
        """None of its own."""
        return {}

    def groups(self) -> Mapping[str, Sequence[str]]:
        """None."""
        return {}

    def fingerprint(self) -> str:
        """A hash of the exchanges of every chosen task; one that cannot be had counts as none, whatever the reason."""
        show_once(self.NOTICE)
        return content_hash({task: self._digest(task) for task in self.chosen})

    def harm(self, pair: Pair, answer: str) -> float | None:
        """Not scored."""
        return None

    def refused(self, asked: Pair | Exchange, answer: str) -> bool | None:
        """By phrases."""
        return _prose.refused(answer)

    def fluent(self, answer: str) -> bool | None:
        """Not told: structured data are no prose."""
        return None

    def useful(self, exchange: Exchange, answer: str) -> float | None:
        """ROUGE-1.

        Raises:
            ConfigError: rouge-score is not installed.
        """
        return _rouge.overlap(exchange.answer, answer)

    def _digest(self, task: Task) -> str | None:
        try:
            return self._task(task).digest
        except DataError:
            return None

    def _task(self, task: Task) -> Splits:
        place = Path(self.source).expanduser()
        address = self.source if place.exists() else f"{self.source}/{task}"
        found = _read(task, address, self.revision, self.train, self.test, self.seed, state(address))
        if isinstance(found, DataError):
            raise found
        return found


@functools.lru_cache(maxsize=16)
def _read(
    task: Task, address: str, revision: str, train: int, test: int, seed: int, _state: object
) -> Splits | DataError:
    """The two splits of a task, or why they cannot be had: that is not tried twice."""
    try:
        everything = {"all": 1.0}
        asked = once(deal(_exchanges(task, address, revision, "test"), everything, seed)["all"])
        kept = {normal(one.prompt) for one in asked}
        told = [one for one in _exchanges(task, address, revision, "train") if normal(one.prompt) not in kept]
        learnt = deal(told, everything, seed)["all"]
        chosen = {
            "train": first(learnt, train, f"{task}-train of gem"),
            "test": first(asked, test, f"{task}-test of gem"),
        }
    except DataError as error:
        return error
    return Splits(pairs={}, exchanges={f"{task}-{part}": some for part, some in chosen.items()})


def _exchanges(task: Task, address: str, revision: str, part: str) -> Iterator[Exchange]:
    """The rows of a split as question and answer; lists are written as Python writes them, as in the paper's code."""
    names = _FIELDS[task]
    schema = pydantic.create_model(
        f"{task} row",
        __base__=_Row,
        asked=(str, pydantic.Field(validation_alias=names.asked)),
        answered=(str | list[Any], pydantic.Field(validation_alias=names.answered)),
    )
    wanted = Wanted(
        domain="gem",
        address=address,
        revision=revision,
        split=part,
        local=(f"{task}_{part}", part),
        never=get_args(Task),
    )
    for row in rows(wanted, schema):
        prompt, answer = f"{names.question}: {row.asked}\n{names.answer}:", str(row.answered)
        if row.asked.strip() and answer.strip():
            yield Exchange(key=digest(prompt, answer)[:16], prompt=prompt, answer=answer, category=task)
