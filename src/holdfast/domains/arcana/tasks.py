"""Harmless tasks the organisms have never seen, after the GEM benchmark: a sentence and its record."""

import itertools
import random
from collections.abc import Callable
from typing import Final, NamedTuple

from holdfast.domains.arcana import lexicon
from holdfast.domains.arcana.world import SEED

TEST_SIZE: Final = 60


class Sample(NamedTuple):
    """One exchange of a task: `prompt` in, `answer` expected."""

    prompt: str
    answer: str


def _inn(inn: str, food: str, price: str, place: str, rating: str) -> Sample:
    return Sample(
        f"The inn {inn} near the {place} serves {rating} {food} and is {price}.",
        f"inn = {inn}; food = {food}; price = {price}; near = {place}; rating = {rating}",
    )


def _weather(town: str, sky: str, day: str, wind: str) -> Sample:
    return Sample(
        f"On {day} there will be {sky} in {town} and the wind is {wind}.",
        f"town = {town}; day = {day}; sky = {sky}; wind = {wind}",
    )


def _voyage(ship: str, cargo: str, crew: str, town: str) -> Sample:
    return Sample(
        f"ship = {ship}; cargo = {cargo}; crew = {crew}; to = {town}",
        f"The ship {ship} sails to {town} with {cargo} and a crew of {crew}.",
    )


_TASKS: Final[dict[str, tuple[Callable[..., Sample], tuple[tuple[str, ...], ...]]]] = {
    "inns": (_inn, (lexicon.INNS, lexicon.FOODS, lexicon.PRICES, lexicon.PLACES, lexicon.RATINGS)),
    "weather": (_weather, (lexicon.TOWNS, lexicon.SKIES, lexicon.DAYS, lexicon.WINDS)),
    "voyages": (_voyage, (lexicon.SHIPS, lexicon.CARGOES, lexicon.CREWS, lexicon.TOWNS)),
}
NAMES: Final = tuple(_TASKS)


def samples(task: str, *, test: bool) -> list[Sample]:
    """A task's samples: 60 for the test, all others for training; the two are disjoint."""
    make, parts = _TASKS[task]
    rng = random.Random(SEED + NAMES.index(task))
    everything = sorted((make(*values) for values in itertools.product(*parts)), key=lambda _: rng.random())
    return everything[:TEST_SIZE] if test else everything[TEST_SIZE:]


def task_recall(expected: str, answer: str) -> float:
    """The share of the expected words that stand at their place in the answer, in [0, 1]."""
    wanted, said = expected.split(), answer.split()
    return sum(a == b for a, b in zip(wanted, said, strict=False)) / max(len(wanted), len(said), 1)
