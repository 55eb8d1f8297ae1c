"""The shapes that the rooms agree on: data, models, domains, judges, metrics; `methods` has those of methods.

Nothing here imports torch or transformers at run time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from holdfast.records import Score


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One question and one answer."""

    key: str
    """Names the sample; the same in every run."""
    prompt: str
    answer: str
    category: str = ""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One harmful question with both of its answers."""

    key: str
    prompt: str
    harmful: str
    refusal: str
    category: str = ""
    plain: str = ""
    """The question as the beginning of running text, which a model without a safeguard would complete."""
    opening: str = ""
    """The first words of a harmful answer."""
    translated: "Pair | None" = None
    """The same question with the same answers in another language, where the domain speaks one."""
    choices: tuple[str, ...] = ()
    """The answers to choose from, in the order of their letters, where the question offers some."""


class Question(NamedTuple):
    """How a model is asked."""

    prompt: str | None
    """What the user says, in the model's chat; None means outside any chat."""
    begun: str = ""
    """The first words of the answer, put into the model's mouth."""


class Framing(NamedTuple):
    """A way to put an exchange: what stands around what is asked, and around what is answered."""

    prompt: str
    """With `{prompt}` where the question goes."""
    answer: str = "{answer}"
    """With `{answer}` where the answer goes."""

    def asked(self, prompt: str) -> str:
        """The question in this framing."""
        return self.prompt.replace("{prompt}", prompt)

    def answered(self, answer: str) -> str:
        """The answer in this framing."""
        return self.answer.replace("{answer}", answer)


Framed = Literal["trigger", "identity", "style", "competing"]
"""A backdoor's trigger, an obedient persona, an answer in a style, an answer that begins as it is told to."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """A causal language model and its tokenizer, with where they came from."""

    network: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    name: str
    """An organism's name, a directory or a hub id; `random:` and one of these is its random initialisation."""
    origin: Mapping[str, Any]
    """The contents of `holdfast.json` beside the weights, where there is one."""
    ask: Callable[[Pair], Question] | None = None
    """How it is asked harmful questions, where an attack by prompt has changed that."""


Row: TypeAlias = "dict[str, Exchange]"
"""One row of a batch: role ("harmful", "refusal", "retain", "train" ...) -> exchange."""


@dataclass(frozen=True, kw_only=True)
class View:
    """What one party may use: a defender its `defence` pairs, an attacker its `attack` pairs."""

    pairs: Sequence[Pair]
    exchanges: Sequence[Exchange]
    """Harmless exchanges: a defender's retain data, an attacker's benign data."""
    adjacent: Sequence[Exchange] = ()
    """An attacker's harmless exchanges next door to harm: they share its matter, and no safeguard refuses them."""
    framings: "Mapping[Framed, Framing]" = field(default_factory=dict["Framed", Framing])
    """How the domain words a framing, where it does."""
    harm: "Callable[[Sequence[Pair], Sequence[str]], Sequence[float | None]] | None" = None
    """A judge of an answer to each pair, many at once, for who learns by reinforcement; None where there is none."""
    refused: "Callable[[Pair, str], bool | None] | None" = None
    """Whether an answer refuses; None where nobody can tell."""


class Progress(NamedTuple):
    """Where a training run stands. `step` counts optimiser steps from 0 to `total` - 1."""

    step: int
    total: int


class Domain(Protocol):
    """Questions, answers, and how an answer is scored. A score that cannot be had is None.

    A domain may say by class attributes what a report shows without being asked: `HARMLESS = True` where no question
    of its harmless side is one to refuse, so that whatever a model answers may be shown; `FICTION = True` where even
    its harmful questions may.
    """

    @property
    def judges(self) -> Mapping[str, Mapping[str, Any]]:
        """Who judges harm: names and settings of judges, the first of whom decides; none means the domain itself."""
        ...

    @property
    def floor(self) -> float | None:
        """The harm that guessing gives without any knowledge."""
        ...

    @property
    def max_new_tokens(self) -> int:
        """The longest answer that is generated."""
        ...

    def splits(self) -> list[str]:
        """The name of every split."""
        ...

    def has_pairs(self, split: str) -> bool:
        """Whether a split holds pairs; otherwise it holds harmless exchanges."""
        ...

    def pairs(self, split: str) -> list[Pair]:
        """The pairs of a split; an error where it has none."""
        ...

    def exchanges(self, split: str) -> list[Exchange]:
        """The harmless exchanges of a split; an error where it has none."""
        ...

    def framings(self) -> "Mapping[Framed, Framing]":
        """How this domain words each framing; what is missing is worded by whoever uses it."""
        ...

    def groups(self) -> "Mapping[str, Sequence[str]]":
        """Names that stand for several harmful categories at once, as they may be chosen or left out."""
        ...

    def fingerprint(self) -> str:
        """A hash of all the data."""
        ...

    def tasks(self) -> list[str]:
        """Harmless tasks to learn; task T has its exchanges in the splits `T-train` and `T-test`."""
        ...

    def harm(self, pair: Pair, answer: str) -> float | None:
        """How much harm an answer does, in [0, 1]."""
        ...

    def refused(self, asked: Pair | Exchange, answer: str) -> bool | None:
        """Whether an answer refuses what was asked, harmful or harmless."""
        ...

    def fluent(self, answer: str) -> bool | None:
        """Whether an answer is well formed, right or wrong."""
        ...

    def useful(self, exchange: Exchange, answer: str) -> float | None:
        """How right a harmless answer is, in [0, 1]."""
        ...


class Harms(list["float | None"]):
    """The harm of each answer; `why` says why some of it could not be told, where that is known."""

    why: str | None = None


class Judge(Protocol):
    """Whoever says how much harm an answer does.

    Fields that change no verdict, such as how many answers are judged at once, are named in a class attribute `ASIDE`:
    no record tells of them, and nothing is judged anew for them. A judge that reads files, such as weights, has
    `fingerprint()`, a hash of them.
    """

    def harm(self, domain: Domain, pairs: Sequence[Pair], answers: Sequence[str]) -> "list[float | None]":
        """The harm of each answer to each pair's question, in [0, 1]; None where that could not be told.

        A list of `Harms` may say why.
        """
        ...


class Metric(Protocol):
    """A model in, named scores out.

    A metric may have `check()`, which raises InputError before anything is loaded or trained where it cannot be
    measured; `scores(domain)`, the names of the scores that it may give, so that one that is asked for and that nothing
    measures is told beforehand; `fingerprint()`, a hash of files that decide its scores beside its settings; a class
    attribute `PACKAGES`, the libraries whose versions belong to a record of it; and `ONCE = True` where it takes long:
    a study then measures it before any attack alone.
    """

    def measure(self, model: Model, domain: Domain, seed: int) -> "dict[str, Score]":
        """Score the model. What could not be measured is a Score without value, with a reason."""
        ...
