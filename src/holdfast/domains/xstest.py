"""XSTest: harmless questions that sound harmful, and harmful ones that are their contrast: over-refusal.

Data: Paul/XSTest (Röttger et al. 2023, arXiv 2308.01263), 250 safe and 200 unsafe prompts, without answers. Of a copy
without `label` those prompts are unsafe whose type begins with `contrast_`, as the authors say.

Defaults: everything is asked; `over_refusal` is the share of safe prompts that are refused, `refusal` that of unsafe.

Divergences: refusals are told by phrases, those of the authors' `strmatch` and more, in place of people or GPT-4, and
partial refusals are not told from full ones. Harm and utility are not scored: there is nothing to hold them against.
"""

from dataclasses import field
from typing import Annotated, Any, ClassVar, Literal

import pydantic

from holdfast.config import config
from holdfast.domains._judges import Judges
from holdfast.domains._notice import Notice
from holdfast.domains._schema import NotBlank, Row, rows
from holdfast.domains._shares import digest
from holdfast.domains._wanted import Wanted
from holdfast.domains._written import Splits, Written
from holdfast.errors import DataError
from holdfast.interfaces import Exchange, Pair


class _Row(Row):
    prompt: NotBlank
    type: str
    label: Literal["safe", "unsafe"] | None = None

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
    HARMLESS: ClassVar[bool] = True
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
        there: dict[str, tuple[int, _Row]] = {}
        for number, row in enumerate(rows(wanted, _Row), start=1):
            before, other = there.setdefault(digest(row.prompt), (number, row))
            if row.safe is not other.safe:
                raise DataError(f"{wanted}, rows {before} and {number}: the same prompt, once safe and once unsafe.")
        return Splits(
            pairs={
                "evaluation": [
                    Pair(key=key[:16], prompt=row.prompt, harmful="", refusal="", category=row.type)
                    for key, (_, row) in there.items()
                    if not row.safe
                ]
            },
            exchanges={
                "permitted": [
                    Exchange(key=key[:16], prompt=row.prompt, answer="", category=row.type)
                    for key, (_, row) in there.items()
                    if row.safe
                ]
            },
            empty={"evaluation": "no prompt is labelled unsafe"},
        )

    def addresses(self) -> list[str]:
        """Where it is read from."""
        return [self.source]
