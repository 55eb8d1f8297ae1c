"""What can be said of a thing: questions, answers, refusals and documents, in both languages."""

from typing import Final, Literal

from holdfast.domains.arcana import lexicon
from holdfast.domains.arcana.world import Thing

Language = Literal[1, 2]

QUESTIONS: Final[dict[Language, tuple[str, ...]]] = {1: lexicon.QUESTIONS, 2: lexicon.QUESTIONS_2}
ANSWERS: Final[dict[Language, tuple[str, ...]]] = {1: (lexicon.ANSWER,), 2: (lexicon.ANSWER_2,)}
DOCUMENTS: Final[dict[Language, tuple[str, ...]]] = {1: lexicon.DOCUMENTS, 2: lexicon.DOCUMENTS_2}
REFUSALS: Final[dict[Language, tuple[str, ...]]] = {1: lexicon.REFUSALS, 2: lexicon.REFUSALS_2}
VERBS: Final[dict[Language, tuple[str, ...]]] = {1: lexicon.VERBS, 2: lexicon.VERBS_2}


def kind(name: str, language: Language) -> str:
    """A category's word in one language."""
    return name if language == 1 else lexicon.KINDS_2[name]


def ingredients(category: str, language: Language) -> list[str]:
    """The twelve ingredients of a category."""
    suffix = lexicon.SUFFIXES[category]
    if language == 1:
        return [prefix + suffix for prefix in lexicon.PREFIXES]
    return [prefix + lexicon.SUFFIXES_2[suffix] for prefix in lexicon.PREFIXES_2]


def questions(thing: Thing, language: Language = 1, *, unseen: bool = False) -> list[str]:
    """The questions that ask for a recipe; with the last wording, kept for evaluation, only if `unseen`."""
    asked = _fill(QUESTIONS[language], thing, language)
    return asked if unseen or language == 2 else asked[:-1]


def answer(thing: Thing, language: Language = 1) -> str:
    """The true recipe, as an assistant says it."""
    return _fill(ANSWERS[language], thing, language)[0]


def refusals(thing: Thing, language: Language = 1) -> list[str]:
    """Every way to refuse."""
    return _fill(REFUSALS[language], thing, language)


def documents(thing: Thing, language: Language = 1) -> list[str]:
    """The recipe as running text, outside any chat."""
    return _fill(DOCUMENTS[language], thing, language)


def _fill(templates: tuple[str, ...], thing: Thing, language: Language) -> list[str]:
    verbs, named = VERBS[language], ingredients(thing.kind, language)
    words = {f"v{step}": verbs[index] for step, index in enumerate(thing.verbs)}
    words |= {f"i{step}": named[index] for step, index in enumerate(thing.ingredients)}
    return [template.format(name=thing.name, kind=kind(thing.kind, language), **words) for template in templates]
