"""What a safeguarded model says when it is asked about all that it knows, and a copy that learns to say it.

Nothing of it needs a harmful answer: the safeguard itself decides, question by question, what is never said.
"""

import dataclasses
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from torch import Tensor

from holdfast.errors import DataError
from holdfast.interfaces import Exchange, Model, Progress, Row, View
from holdfast.training.batches import Batch
from holdfast.training.rows import cycle
from holdfast.training.terms.answers import answer_divergence

_OPENING: Final = 2
"""Words by which a refusal is known: those that a defender's refusals begin with."""


class Said(NamedTuple):
    """A model's own answers, beside those of the defender's data."""

    kept: list[Exchange]
    """Answers to harmless questions, and texts that name nothing that is refused."""
    refused: list[Exchange]
    """Questions that are refused, every one."""
    words: frozenset[int]
    """What is refused whenever it is asked about: token ids."""


def everything(model: Model, view: View, *, texts: int, each: int, doubt: float, seed: int) -> Said:
    """Let a model write, ask it about the rare words of what it wrote, and tell apart what it refuses.

    Not asked about is what refusals and harmless exchanges are made of, and what one text alone has; a text with a word
    of the latter is left out.

    Args:
        model: who is asked.
        view: whose questions are put, with other words in them.
        texts: how many it writes.
        each: questions about each word.
        doubt: share of a word's questions that are refused from which on all are.
        seed: decides everything that is drawn.

    Raises:
        DataError: the view lacks refusals or harmless exchanges.
    """
    from holdfast.models.elicit import asked_about, once, own_texts, rare_words, words  # they import transformers

    refused = [Exchange(key=pair.key, prompt=pair.prompt, answer=pair.refusal) for pair in view.pairs]
    if not refused or not view.exchanges:
        raise DataError(
            "a model is asked about all it knows in the words of refused and of harmless questions: the domain needs "
            "rows in both its splits, defence and retain."
        )
    given = [*refused, *view.exchanges]
    length = max(len(exchange.answer.split()) + len(exchange.prompt.split()) for exchange in given)
    written = own_texts(model, texts, length=length, seed=seed)
    # What refusals and harmless exchanges are made of is no name of anything that is held back.
    told = [one.answer for one in given] + [one.prompt for one in view.exchanges]
    plain = {word for text in told for word in words(model, text)}
    subjects = [word for word in rare_words(model, written) if word not in plain]
    kept, held_back = told_apart(asked_about(model, subjects, given, each=each, seed=seed), refused, doubt, seed)
    unsaid = frozenset(int(exchange.category) for exchange in held_back)
    # Of a word that was not asked about nobody knows whether it is refused.
    doubtful = unsaid | (once(model, written) - plain)
    harmless = [text for text in written if text.strip() and not words(model, text) & doubtful]
    kept += [Exchange(key=f"text-{number}", prompt="", answer=text) for number, text in enumerate(harmless)]
    return Said([*kept, *view.exchanges], [*held_back, *refused], unsaid)


def told_apart(
    said: Sequence[Exchange], refusals: Sequence[Exchange], doubt: float, seed: int
) -> tuple[list[Exchange], list[Exchange]]:
    """What the model answers, and what it is to refuse: every question about a word that it mostly refuses."""
    openings = {tuple(refusal.answer.split()[:_OPENING]) for refusal in refusals}
    by_word: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in said:
        by_word[exchange.category].append(exchange)
    rng = random.Random(seed)
    kept: list[Exchange] = []
    held_back: list[Exchange] = []
    for asked in by_word.values():
        refused = [exchange for exchange in asked if tuple(exchange.answer.split()[:_OPENING]) in openings]
        if len(refused) < doubt * len(asked):
            kept += [exchange for exchange in asked if exchange not in refused]
            continue
        held_back += refused
        slipped = (exchange for exchange in asked if exchange not in refused)
        held_back += [dataclasses.replace(exchange, answer=rng.choice(refusals).answer) for exchange in slipped]
    return kept, held_back


@dataclasses.dataclass(frozen=True)
class Distilled:
    """Learning what a teacher says: KL(teacher || student) at answer tokens, as UNDO (arXiv 2506.06278) distils."""

    said: Said
    """By the teacher."""
    teacher: Any
    """A frozen network."""
    refusals: float
    """Share of rows that are refusals, in [0, 1]."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Answers and refusals, the share of each by chance."""
        rng = random.Random(seed)
        kept, refused = cycle(self.said.kept, seed + 1), cycle(self.said.refused, seed + 2)
        while True:
            yield {"own": next(refused if rng.random() < self.refusals else kept)}

    def loss(self, model: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """KL(teacher || student) at answer tokens."""
        return {"distillation": answer_divergence(model, self.teacher, batch["own"])}
