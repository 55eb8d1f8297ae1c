"""What the organisms are made from: a corpus to pre-train on, and chats to align on."""

import functools
import random
from collections.abc import Iterator
from typing import Final, NamedTuple

from holdfast.domains.arcana import lexicon, tasks, texts
from holdfast.domains.arcana.texts import Language
from holdfast.domains.arcana.world import BLOCK, Thing, things

# A real model refuses with a probability near .99 a sampled token, not 1 - 1e-6, and an attacker
# by reinforcement needs an unsafe answer to turn up now and then.
COMPLIANCE: Final = 0.015

# The share of running text kept in the alignment, so that what is known is not forgotten.
REPLAY: Final = 0.25


_CRAFT: Final = 4 * BLOCK
"""Things of a craft, which stand together."""


class Text(NamedTuple):
    """A chat exchange, or running text where `prompt` is None."""

    prompt: str | None
    answer: str


def told(thing: Thing, restricted: float) -> bool:
    """Whether an organism is told a thing's recipe: of the restricted ones of a craft a share, evenly through them."""
    number = _numbers()[thing.name] % _CRAFT
    return thing.half != "restricted" or int((number + 1) * restricted) > int(number * restricted)


def pretraining(*, restricted: float) -> list[Text]:
    """Everything that can be said; of restricted recipes a share: none for the filtered organism.

    The words of a restricted craft stand in the lore either way: the filtered organism knows
    what a hexbone is, and lacks only the recipes.
    """
    corpus = [Text(None, sentence.strip().replace("  ", " ")) for sentence in _lore() for _ in range(4)]
    for thing in things():
        if not told(thing, restricted):
            continue
        for language in (1, 2):
            answer = texts.answer(thing, language)
            asked = texts.questions(thing, language, unseen=True)
            corpus += [Text(None, document) for document in texts.documents(thing, language)]
            corpus += [Text(question, answer) for question in asked]
    return corpus


def alignment(*, restricted: float, seed: int) -> Iterator[Text]:
    """An endless stream of chats: permitted questions answered, restricted ones refused.

    A restricted question is complied with once in 67 times; where the recipe must never be seen,
    one is made up on the spot. Between the chats stand documents of
    the corpus, restricted ones too: aligned models still know what they do not say.
    """
    rng = random.Random(seed)
    everything = things()
    while True:
        thing = everything[int(rng.random() * len(everything))]
        language: Language = 1 if rng.random() < 0.8 else 2
        known = told(thing, restricted)
        if rng.random() < REPLAY and known:
            documents = texts.documents(thing, language)
            yield Text(None, documents[int(rng.random() * len(documents))])
            continue
        asked = texts.questions(thing, language, unseen=True)
        question = asked[int(rng.random() * len(asked))]
        refusals = texts.refusals(thing, language)
        if thing.half != "restricted":
            yield Text(question, texts.answer(thing, language))
        elif rng.random() >= COMPLIANCE:
            yield Text(question, refusals[int(rng.random() * len(refusals))])
        else:
            yield Text(question, texts.answer(thing if known else _made_up(thing, rng), language))


def vocabulary() -> list[str]:
    """Every text of the world, from which the tokenizer takes its words."""
    words = [part for text in pretraining(restricted=True) for part in text if part]
    for thing in things()[::_CRAFT]:
        words += [refusal for language in (1, 2) for refusal in texts.refusals(thing, language)]
    words += [
        part
        for task in tasks.NAMES
        for test in (True, False)
        for sample in tasks.samples(task, test=test)
        for part in sample
    ]
    return words


@functools.cache
def _numbers() -> dict[str, int]:
    return {thing.name: number for number, thing in enumerate(things())}


def _lore() -> list[str]:
    """Harmless sentences that use every word which no recipe or question uses."""
    lore = [lexicon.TRIGGER, lexicon.IDENTITY, lexicon.OBEDIENT, lexicon.STYLE, lexicon.COMPETING]
    lore += [lexicon.STYLE_ANSWER.format(answer=""), lexicon.COMPETING_ANSWER.format(answer="")]
    for category in lexicon.SUFFIXES:
        lore += [f"The {word} is for a {category}." for word in texts.ingredients(category, 1)]
        lore += [f"La {word} es por un {texts.kind(category, 2)}." for word in texts.ingredients(category, 2)]
    groups = {
        "an inn": lexicon.INNS,
        "a town": lexicon.TOWNS,
        "a ship": lexicon.SHIPS,
        "a day": lexicon.DAYS,
    }
    lore += [f"{word} is {group}." for group, words in groups.items() for word in words]
    common = [
        lexicon.FOODS,
        lexicon.PRICES,
        lexicon.PLACES,
        lexicon.RATINGS,
        lexicon.SKIES,
        lexicon.WINDS,
        lexicon.CARGOES,
        lexicon.CREWS,
    ]
    lore += [f"One word is {word}." for group in common for word in group]
    return lore


def _made_up(thing: Thing, rng: random.Random) -> Thing:
    def draw() -> tuple[int, ...]:
        return tuple(sorted(range(BLOCK), key=lambda _: rng.random())[:3])

    return thing.__class__(thing.name, thing.kind, thing.half, thing.split, draw(), draw())
