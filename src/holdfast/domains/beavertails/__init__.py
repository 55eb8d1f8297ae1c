r"""BeaverTails: harmful questions in 14 categories, with harmful answers and refusals: the data of the RepNoise paper.

Data: PKU-Alignment/BeaverTails (Ji et al. 2023, arXiv 2307.04657) for answers, safe and unsafe; the refusals are those
that Rosati et al. 2024, arXiv 2405.14577, had Llama-2-7b-chat write, from anonymous4486/repnoise_beavertail. Neither is
ours, nor shipped. `docs/domains.md` tells how the splits are made, and where they differ from the paper's.

Defaults: each party has all of its share; 300 questions and answers of 50 tokens are those of the paper, and so is the
judge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Annotated, Any, ClassVar, Literal

import pydantic

from holdfast.config import config, content_hash
from holdfast.domains import _prose
from holdfast.domains._judges import Judges
from holdfast.domains._notice import Notice
from holdfast.domains._refusals import Addresses, refusals
from holdfast.domains._rouge import overlap_if_any
from holdfast.domains._wanted import Wanted
from holdfast.domains._written import Splits, Written
from holdfast.domains.beavertails import categories, splits
from holdfast.interfaces import Exchange, Pair

_Count = Annotated[int, pydantic.Field(ge=0)]


@config
class Beavertails(Written):
    """Harmful questions in 14 categories, each with a harmful answer and a refusal."""

    NOTICE: ClassVar[Notice] = Notice(
        name="beavertails",
        warning="questions about violence, crime, hate, drugs, sex, self-harm and abuse, and answers that help with it",
        address="https://huggingface.co/datasets/PKU-Alignment/BeaverTails and, for refusals, "
        "https://huggingface.co/datasets/anonymous4486/repnoise_beavertail",
        licence="CC-BY-NC-4.0: not for commercial use",
        size="30,207 rows, 5 MB (30k) or 333,963 rows, 34 MB (330k); 18,106 refusals",
        cite="Ji et al. 2023, arXiv 2307.04657; Rosati et al. 2024, arXiv 2405.14577",
    )
    GROUPS: ClassVar[Mapping[str, Sequence[str]]] = categories.GROUPS
    floor: ClassVar[float | None] = None

    source: str = "PKU-Alignment/BeaverTails"
    """Answers, safe and unsafe: a hub id, a folder or a file."""
    revision: str = ""
    """A commit of it on the hub; empty is the newest."""
    refusals: Addresses = ("anonymous4486/repnoise_beavertail",)
    """Questions with both answers, as `holdfast domain refusals` writes them: hub ids, folders or files, or none."""
    refusals_revision: str = ""
    """A commit of those on the hub; empty is the newest."""
    size: Literal["30k", "330k"] = "30k"
    """Which of its two sizes."""
    defence: _Count = 0
    """Pairs for a defence; 0 is all of its share."""
    attack: _Count = 0
    """Pairs for an attack; 0 is all of its share."""
    evaluation: _Count = 300
    """Harmful questions to ask, and at most as many of the others; 0 is all of the share."""
    counts: Literal["all", "chosen"] = "all"
    """What pairs are counted of: of all there are, or of those of the categories that are chosen, where some are, as in
    the paper's Table 5. Of `chosen` there may be fewer than asked for, and then those are all."""
    unrefused: bool = False
    """Whether an attack has harmful answers, too, beside which there is no refusal."""
    overlap: bool = False
    """Whether an attack's pairs are the first of the defence's own, as in the paper's Tables 1 and 2: to replicate."""
    wording: Literal["chat", "paper"] = "chat"
    """The question as it is, or as the paper puts it to every model: `Question: ...`, `Answer:` on the next line."""
    seed: _Count = 0
    """Deals the questions. Who compares must not change it."""
    max_new_tokens: Annotated[int, pydantic.Field(ge=1)] = 50
    """The longest answer that is generated."""
    judges: Judges = field(default_factory=lambda: {"classifier": dict[str, Any]()})
    """Who judges harm, by name and settings; the classifier is the paper's unless it is told otherwise."""

    def splits_made(self) -> Splits:
        """Pairs: defence, attack, evaluation, unpaired. Harmless: retain, benign, permitted."""
        train, test = (splits.answered(self._answers(part)) for part in ("train", "test"))
        given = [one for address in self.refusals for one in refusals(self._given(address))]
        return splits.made(
            train,
            test,
            given,
            splits.Counts(self.defence, self.attack, self.evaluation),
            splits.Ways(self.unrefused, self.overlap, self.wording, self.seed, whole=self.counts == "chosen"),
        )

    def pairs(self, split: str) -> list[Pair]:
        """The pairs of a split; errors as for any."""
        there, count = self.pool(split)
        return there[:count]

    def pool(self, split: str) -> tuple[list[Pair], int | None]:
        """The pairs of a split that categories are chosen from, and how many then stay; None is all that are chosen."""
        return super().pairs(split), self._cuts.get(split)

    def fingerprint(self) -> str:
        """A hash of every pair and exchange as they are used, and of how many stay where that is seen later."""
        return content_hash([super().fingerprint(), self._cuts]) if self._cuts else super().fingerprint()

    @property
    def _cuts(self) -> dict[str, int]:
        """How many pairs of a split stay once categories are chosen; nothing where they are counted before."""
        if self.counts == "all":
            return {}
        counted = {"defence": self.defence, "attack": self.attack, "evaluation": self.evaluation}
        return {split: count for split, count in counted.items() if count}

    def addresses(self) -> list[str]:
        """Where it is read from."""
        return [self.source, *self.refusals]

    def refused(self, asked: Pair | Exchange, answer: str) -> bool | None:
        """By phrases; None of a harmless exchange, the question of which may be one to refuse all the same."""
        return _prose.refused(answer) if isinstance(asked, Pair) else None

    def useful(self, exchange: Exchange, answer: str) -> float | None:
        """ROUGE-1 against the answer that people found harmless; None without rouge-score."""
        return overlap_if_any(exchange.answer, answer)

    def _answers(self, part: str) -> Wanted:
        return Wanted(
            domain="beavertails",
            address=self.source,
            revision=self.revision,
            split=f"{self.size}_{part}",
            local=(f"{self.size}_{part}", part),
            never=("30k", "330k"),
        )

    def _given(self, address: str) -> Wanted:
        return Wanted(
            domain="beavertails",
            setting="refusals",
            address=address,
            revision=self.refusals_revision,
            split="train",
            local=("refusals", ""),
        )
