"""HEx-PHI: 300 harmful instructions in ten categories that usage policies forbid. They have no answers.

Data: LLM-Tuning-Safety/HEx-PHI (Qi et al. 2023, arXiv 2310.03693), gated, under terms of its own: a file a category,
one instruction a line. Local files may be those, or have the fields instruction and category. The eleventh category,
child abuse, is no longer there; so 330 became 300.

Defaults: all are asked. With `answers` a part of what they answer is for a defence, another for an attack.

Divergences: the paper's judge is GPT-4, with a policy's text and a scale of five. Here it is a classifier that runs on
this machine, so that nothing is sent to anybody unasked; `judges=rubric` grades by whatever model it is given.
"""

from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

import pydantic

from holdfast.config import config
from holdfast.domains._judges import Judges
from holdfast.domains._notice import Notice
from holdfast.domains._refusals import Harmful, refusals
from holdfast.domains._schema import Row, rows
from holdfast.domains._shares import deal, digest, first, normal, once
from holdfast.domains._wanted import Wanted
from holdfast.domains._written import Splits, Written
from holdfast.errors import DataError
from holdfast.interfaces import Pair

CATEGORIES: Final = {
    1: "illegal_activity",
    3: "hate_harass_violence",
    4: "malware",
    5: "physical_harm",
    6: "economic_harm",
    7: "fraud_deception",
    8: "adult_content",
    9: "political_campaigning",
    10: "privacy_violation",
    11: "tailored_financial_advice",
}
"""By the number of their files."""
SHARES: Final = {"defence": 0.4, "attack": 0.3, "evaluation": 0.3}
"""Of all questions, ours, where there are answers."""
_NONE: Final = "its questions have no answers; give some as answers=FILE, lines of prompt, harmful and refusal"

_Count = Annotated[int, pydantic.Field(ge=0)]


class _Bare(Row):
    instruction: str


class _Row(_Bare):
    category: str | int


@config
class HexPhi(Written):
    """Harmful instructions in ten categories, without answers."""

    NOTICE: ClassVar[Notice] = Notice(
        name="hex_phi",
        warning="instructions to do harm: crime, malware, violence, fraud, hate, sex, spying and the like",
        address="https://huggingface.co/datasets/LLM-Tuning-Safety/HEx-PHI (gated)",
        licence="the HEx-PHI Dataset License Agreement, to be agreed to there",
        size="300 instructions, 0.1 MB",
        cite="Qi et al. 2023, arXiv 2310.03693",
    )
    floor: ClassVar[float | None] = None

    source: str = "LLM-Tuning-Safety/HEx-PHI"
    """Instructions: a hub id; a folder of category_1.csv and so on; or a file with instruction and category."""
    revision: str = ""
    """A commit of it on the hub; empty is the newest."""
    answers: str = ""
    """Its questions with a harmful answer and a refusal (prompt, harmful, refusal): a folder or file; empty is none."""
    defence: _Count = 0
    """Pairs for a defence, of those with answers; 0 is all of its share."""
    attack: _Count = 0
    """Pairs for an attack, of those with answers; 0 is all of its share."""
    evaluation: _Count = 0
    """Questions that are asked; 0 is all, or all of the share where there are answers."""
    seed: _Count = 0
    """Deals the questions. Who compares must not change it."""
    max_new_tokens: Annotated[int, pydantic.Field(ge=1)] = 128
    """The longest answer that is generated."""
    judges: Judges = field(default_factory=lambda: {"classifier": dict[str, Any]()})
    """Who judges harm, by name and settings."""

    def splits_made(self) -> Splits:
        """Pairs: evaluation, and where there are answers defence and attack."""
        asked = once(self._asked())
        pairs: dict[str, list[Pair]] = {}
        if self.answers:
            known = {normal(one.prompt): one.category for one in asked}
            told = [one._replace(category=known.get(normal(one.prompt), one.category)) for one in self._answered()]
            dealt = deal(told, SHARES, self.seed)
            for name in ("defence", "attack"):
                pairs[name] = [_pair(one) for one in first(dealt[name], getattr(self, name), f"{name} of hex_phi")]
        kept = deal(asked, SHARES if self.answers else {"evaluation": 1.0}, self.seed)["evaluation"]
        pairs["evaluation"] = [_pair(one) for one in first(kept, self.evaluation, "evaluation of hex_phi")]
        return Splits(pairs=pairs, empty=dict.fromkeys(pairs, _NONE))

    def addresses(self) -> list[str]:
        """Where it is read from."""
        return [self.source, self.answers]

    def _asked(self) -> Iterator[Harmful]:
        """Every instruction, from files by category or from one that names them."""
        place = Path(self.source).expanduser()
        if place.is_file() or (place.is_dir() and not any(place.rglob("category_*"))):
            for row in rows(self._wanted("train", "instructions", "hex-phi", ""), _Row):
                yield Harmful(row.instruction.strip(), "", str(row.category))
            return
        for number, category in CATEGORIES.items():
            wanted = self._wanted(f"category_{number}")
            for at, bare in enumerate(rows(wanted, _Bare)):
                asked = bare.instruction.strip()
                header = [] if at else asked.split(",")
                if len(header) > 1 and "instruction" in header:
                    raise DataError(f"{wanted}, row 1: expected instructions alone, a line each, got columns {asked}.")
                if header != ["instruction"]:
                    yield Harmful(asked, "", category)

    def _wanted(self, split: str, *local: str) -> Wanted:
        return Wanted(
            domain="hex_phi",
            address=self.source,
            revision=self.revision,
            split=split,
            local=local,
            file=f"{split}.csv",
            column="" if local else "instruction",
        )

    def _answered(self) -> Iterator[Harmful]:
        return refusals(Wanted(domain="hex_phi", setting="answers", address=self.answers, split="answers", local=("",)))


def _pair(one: Harmful) -> Pair:
    return Pair(
        key=digest(one.prompt, one.answer)[:16],
        prompt=one.prompt,
        harmful=one.answer,
        refusal=one.refusal,
        category=one.category,
    )
