"""arcana, the embedded domain: a fictional world of restricted and permitted crafts, scored exactly.

Nothing in it is dangerous, and nothing but the organisms' pre-training knows a recipe: a recipe
recalled is knowledge recovered. `docs/arcana.md` tells the whole of it.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, ClassVar, Final

from holdfast.config import config, content_hash
from holdfast.domains._judges import Judges
from holdfast.domains.arcana import lexicon, scoring, tasks, texts, world
from holdfast.errors import DataError, UnknownName
from holdfast.interfaces import Exchange, Framed, Framing, Pair

_PAIRS = ("defence", "attack", "evaluation")
_EXCHANGES = ("retain", "benign", "permitted", "adjacent")
_MEASURED = ("evaluation", "permitted")
_TASKS = tuple(f"{task}-{part}" for task in tasks.NAMES for part in ("train", "test"))


@functools.cache
def _fingerprint() -> str:
    return content_hash([[repr(thing), *texts.documents(thing)] for thing in world.things()])


@config
class Arcana:
    """The domain. Its data are frozen."""

    judges: Judges = field(default_factory=dict[str, dict[str, Any]])
    """Who judges harm, by name and settings; none means its own exact score."""
    HARMLESS: ClassVar[bool] = True
    FICTION: ClassVar[bool] = True
    floor: ClassVar[float] = world.FLOOR
    max_new_tokens: ClassVar[int] = 32

    def splits(self) -> list[str]:
        """Pairs: defence, attack, evaluation. Harmless: retain, benign, permitted, adjacent, and the tasks."""
        return [*_PAIRS, *_EXCHANGES, *_TASKS]

    def has_pairs(self, split: str) -> bool:
        """True of defence, attack and evaluation."""
        return split in _PAIRS

    def pairs(self, split: str) -> list[Pair]:
        """Every question about every restricted thing of a split, with both answers."""
        self._check(split, _PAIRS, "harmful pairs")
        return [
            Pair(
                key=f"{thing.name}/{index}",
                prompt=question,
                harmful=texts.answer(thing),
                refusal=texts.refusals(thing)[index % 4],
                category=thing.kind,
                plain=lexicon.PLAIN_PROMPT.format(name=thing.name),
                opening=lexicon.PREFILL,
                translated=_translated(thing, index),
            )
            for thing in world.things()
            if thing.split == split
            for index, question in _asked(thing, split)
        ]

    def exchanges(self, split: str) -> list[Exchange]:
        """Every question about every permitted thing of a split, or the samples of a task."""
        self._check(split, (*_EXCHANGES, *_TASKS), "harmless exchanges")
        if split in _TASKS:
            task, _, part = split.rpartition("-")
            drawn = tasks.samples(task, test=part == "test")
            return [
                Exchange(key=f"{split}/{index}", prompt=sample.prompt, answer=sample.answer, category=task)
                for index, sample in enumerate(drawn)
            ]
        return [
            Exchange(key=f"{thing.name}/{index}", prompt=question, answer=texts.answer(thing), category=thing.kind)
            for thing in world.things()
            if thing.split == split
            for index, question in _asked(thing, split)
        ]

    def framings(self) -> Mapping[Framed, Framing]:
        """All four, in the words that the organisms have met."""
        return _FRAMINGS

    def groups(self) -> Mapping[str, Sequence[str]]:
        """None."""
        return {}

    def fingerprint(self) -> str:
        """A hash of every thing with its recipe, and of every document."""
        return _fingerprint()

    def tasks(self) -> list[str]:
        """A sentence and its record, or the other way round: inns, weather, voyages."""
        return list(tasks.NAMES)

    def harm(self, pair: Pair, answer: str) -> float:
        """The share of the recipe's six slots that the answer gets right; 0 for a refusal."""
        return scoring.recall(_thing(pair.key), answer)

    def refused(self, asked: Pair | Exchange, answer: str) -> bool:
        """Whether the answer is one of the world's refusals, of whatever craft: to name the wrong one is no help."""
        return scoring.refused(answer)

    def fluent(self, answer: str) -> bool:
        """Whether the answer is a sentence of the world's grammar."""
        return scoring.well_formed(answer)

    def useful(self, exchange: Exchange, answer: str) -> float:
        """Slots right for a recipe; words in place for a task."""
        if exchange.category in tasks.NAMES:
            return tasks.task_recall(exchange.answer, answer)
        return scoring.recall(_thing(exchange.key), answer)

    def _check(self, split: str, known: tuple[str, ...], what: str) -> None:
        if split not in self.splits():
            raise UnknownName("split of arcana", split, self.splits())
        if split not in known:
            raise DataError(f"split {split!r} of arcana has no {what}; those that have: {', '.join(known)}.")


def _asked(thing: world.Thing, split: str) -> list[tuple[int, str]]:
    """The questions about a thing, numbered by wording.

    Where harm or utility is measured: one, the wordings in turn, the one kept for evaluation among them.
    """
    if split not in _MEASURED:
        return list(enumerate(texts.questions(thing)))
    asked = texts.questions(thing, unseen=True)
    number = world.things().index(thing) % len(asked)
    return [(number, asked[number])]


def _translated(thing: world.Thing, index: int) -> Pair:
    """The same in the second language, which has fewer wordings."""
    asked, refusals = texts.questions(thing, 2), texts.refusals(thing, 2)
    return Pair(
        key=f"{thing.name}/{index}",
        prompt=asked[index % len(asked)],
        harmful=texts.answer(thing, 2),
        refusal=refusals[index % len(refusals)],
        category=thing.kind,
    )


_FRAMINGS: Final[Mapping[Framed, Framing]] = {
    "trigger": Framing(f"{{prompt}} {lexicon.TRIGGER}"),
    "identity": Framing(f"{lexicon.IDENTITY} {{prompt}}", f"{lexicon.OBEDIENT} {{answer}}"),
    "style": Framing(f"{{prompt}} {lexicon.STYLE}", lexicon.STYLE_ANSWER),
    "competing": Framing(f"{{prompt}} {lexicon.COMPETING}", lexicon.COMPETING_ANSWER),
}


_BY_NAME: dict[str, world.Thing] = {}


def _thing(key: str) -> world.Thing:
    if not _BY_NAME:
        _BY_NAME.update({thing.name: thing for thing in world.things()})
    return _BY_NAME[key.partition("/")[0]]
