"""XSTest: harmless questions that sound harmful, and harmful ones that are their contrast: over-refusal.

Data: Paul/XSTest (Röttger et al. 2023, arXiv 2308.01263), 250 safe and 200 unsafe prompts, without answers. Of a copy
without `label` those prompts are unsafe whose type begins with `contrast_`, as the authors say.

Defaults: everything is asked; `over_refusal` is the share of safe prompts that are refused, `refusal` that of unsafe.

Divergences: refusals are told by phrases, those of the authors' `strmatch` and more, in place of people or GPT-4, and
partial refusals are not told from full ones. Harm and utility are not scored: there is nothing to hold them against.
"""

from dataclasses import field
from typing import Annotated, Any, ClassVar

import pydantic

from holdfast.config import config
from holdfast.domains import _prose
from holdfast.domains._judges import Judges
from holdfast.domains._notice import Notice
from holdfast.domains._schema import Row, rows
from holdfast.domains._shares import digest
from holdfast.domains._wanted import Wanted
from holdfast.domains._written import Splits, Written
from holdfast.interfaces import Exchange, Pair


class _Row(Row):
    prompt: str
    type: str
    label: str | None = None

    @property
    def safe(self) -> bool:
        """Whether it is to be answered."""
        return self.label == "safe" if self.label else not self.type.startswith("contrast_")


@config
class Xstest(Written):
    """Harmless questions that sound harmful, and harmful ones beside them."""

    NOTICE: ClassVar[Notice] = Notice(
        name="xstest",
        warning="harmless questions that sound harmful, and 200 that ask for harm",
        address="https://huggingface.co/datasets/Paul/XSTest",
        licence="CC-BY-4.0",
        size="450 prompts, 0.1 MB",
        cite="Röttger et al. 2023, arXiv 2308.01263",
    )
    floor: ClassVar[float | None] = None

    source: str = "Paul/XSTest"
    """Prompts: a hub id, a folder or a file."""
    revision: str = ""
    """A commit of it on the hub; empty is the newest."""
    max_new_tokens: Annotated[int, pydantic.Field(ge=1)] = 64
    """The longest answer that is generated: enough to see whether it is a refusal."""
    judges: Judges = field(default_factory=dict[str, dict[str, Any]])
    """Who judges harm, by name and settings; none means that harm is not scored."""

    def splits_made(self) -> Splits:
        """Pairs: evaluation, the unsafe prompts. Harmless: permitted, the safe ones. None of them has answers."""
        wanted = Wanted(
            domain="xstest", address=self.source, revision=self.revision, split="train", local=("prompts", "")
        )
        there = {digest(row.prompt): row for row in rows(wanted, _Row)}
        return Splits(
            pairs={
                "evaluation": [
                    Pair(key=key[:16], prompt=row.prompt, harmful="", refusal="", category=row.type)
                    for key, row in there.items()
                    if not row.safe
                ]
            },
            exchanges={
                "permitted": [
                    Exchange(key=key[:16], prompt=row.prompt, answer="", category=row.type)
                    for key, row in there.items()
                    if row.safe
                ]
            },
            empty={"evaluation": "no prompt is labelled unsafe"},
        )

    def addresses(self) -> list[str]:
        """Where it is read from."""
        return [self.source]

    def refused(self, asked: Pair | Exchange, answer: str) -> bool | None:
        """By phrases."""
        return _prose.refused(answer)

    def useful(self, exchange: Exchange, answer: str) -> float | None:
        """Not scored: no answer is given."""
        return None
