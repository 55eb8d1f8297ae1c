"""What a model says of its own accord: questions put like those of somebody's data, but of other things, answered."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

from holdfast.interfaces import Exchange, Model, Question
from holdfast.models.generate import answers

_RARE = 0.01
"""A word that stands in no more than this share of a model's texts names a thing, or is as rare as a name."""


def own_texts(model: Model, count: int, *, length: int, seed: int) -> list[str]:
    """What a model writes when nobody asks it anything, at temperature 1.

    Args:
        model: who writes, from the beginning of a text.
        count: of texts.
        length: the longest, in tokens.
        seed: of the sampling.
    """
    return answers(model, [Question(None)] * count, max_new_tokens=length, temperature=1.0, seed=seed)


def rare_words(model: Model, texts: Sequence[str]) -> list[int]:
    """The rare words of some texts, as token ids in ascending order; all their words where none is rare.

    A word of one text alone is none of them: chance puts it there. `once` has those.
    """
    count = _texts_with(model, texts)
    rare = {word for word, times in count.items() if 2 <= times <= _RARE * len(texts)}
    return sorted(rare or count)


def once(model: Model, texts: Sequence[str]) -> set[int]:
    """The words that only one of some texts has, as token ids."""
    return {word for word, times in _texts_with(model, texts).items() if times == 1}


def words(model: Model, text: str) -> set[int]:
    """The words of a text, as token ids."""
    return set(_ids(model, text))


def asked_about(
    model: Model, subjects: Sequence[int], like: Sequence[Exchange], *, each: int, seed: int
) -> list[Exchange]:
    """Questions about words, put like those of some exchanges, with the model's own greedy answers.

    A question's word that the fewest of the others have is what it is about, and gives way to another.

    Args:
        model: who is asked, and answers; no longer than the longest answer of the exchanges.
        subjects: words, as token ids.
        like: whose questions are taken.
        each: questions about a word, like those of different exchanges, as far as there are any.
        seed: decides which.

    Returns:
        An exchange for each question; its category is the word's token id.
    """
    rng = random.Random(seed)
    tokenizer: Any = model.tokenizer
    questions = [_ids(model, exchange.prompt) for exchange in like]
    count = Counter(word for ids in questions for word in set(ids))
    about = [min(range(len(ids)), key=lambda place: count[ids[place]]) for ids in questions]
    asked: list[tuple[str, str]] = []
    for word in subjects:
        for chosen in rng.sample(range(len(questions)), min(each, len(questions))):
            ids, place = questions[chosen], about[chosen]
            asked.append((tokenizer.decode([*ids[:place], word, *ids[place + 1 :]]), str(word)))
    longest = max(len(_ids(model, exchange.answer)) for exchange in like) + 1
    said = answers(model, [question for question, _ in asked], max_new_tokens=longest)
    return [
        Exchange(key=f"own-{number}", prompt=question, answer=answer, category=word)
        for number, ((question, word), answer) in enumerate(zip(asked, said, strict=True))
        if answer.strip()
    ]


def _texts_with(model: Model, texts: Sequence[str]) -> Counter[int]:
    """In how many texts each word is."""
    return Counter(word for text in texts for word in words(model, text))


def _ids(model: Model, text: str) -> list[int]:
    tokenizer: Any = model.tokenizer
    return tokenizer(text, add_special_tokens=False)["input_ids"]
