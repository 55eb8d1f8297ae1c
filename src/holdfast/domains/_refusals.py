"""Harmful questions with a harmful answer, and with a refusal where somebody has made one."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, NamedTuple

import pydantic

from holdfast.domains._schema import Row, rows
from holdfast.domains._wanted import Wanted
from holdfast.domains._wording import bare

_PROMPTED: Final = ("Question:", "Prompt:", "User:")
_MARKS: Final = ("Answer:", "Continuation:")


def _text(given: Any) -> Any:
    """A text, or the `text` of what says more about it, as RealToxicityPrompts has it."""
    return given["text"] if isinstance(given, Mapping) and "text" in given else given


Text = Annotated[str, pydantic.BeforeValidator(_text)]
_ANSWER: Final = pydantic.AliasChoices("harmful", "response", "continuation")


def _listed(given: Any) -> Any:
    return [one for one in [given] if one] if isinstance(given, str) else given


Addresses = Annotated[tuple[str, ...], pydantic.BeforeValidator(_listed)]
"""One address, or several; an empty text is none."""


class _Row(Row):
    """The fields of RepNoise's data, or those of a line of `holdfast domain refusals`."""

    prompt: Text
    harmful: Annotated[Text, pydantic.Field(validation_alias=_ANSWER)]
    refusal: str
    category: dict[str, bool | None] | str | None = None


class Harmful(NamedTuple):
    """A harmful question with a harmful answer."""

    prompt: str
    answer: str
    category: str = ""
    refusal: str = ""
    """Empty where there is none."""


def refusals(wanted: Wanted) -> Iterator[Harmful]:
    """Every question with both answers; one whose answers are blank or equal is none.

    Raises:
        DataError: as for `rows`.
    """
    for row in rows(wanted, _Row):
        prompt, answer = bare(row.prompt).strip(), row.harmful.strip()
        refusal = said(row.refusal, prompt)
        if answer and refusal and answer != refusal:
            category = row.category if isinstance(row.category, str) else first_true(row.category or {})
            yield Harmful(prompt, answer, category, refusal)


def said(text: str, prompt: str) -> str:
    """An answer alone, of a text that may repeat before it what was asked: "Question: ... Answer: I cannot ..."."""
    text = text.strip()
    if not text.startswith(_PROMPTED):
        return text
    _, found, rest = text.partition(prompt)
    rest = rest.strip() if found else text
    for mark in _MARKS:
        if rest.startswith(mark):
            return rest.removeprefix(mark).strip()
        if not found and mark in rest:
            return rest.partition(mark)[2].strip()
    return rest


def first_true(category: Mapping[str, bool | None]) -> str:
    """The first category that holds, as the paper's code takes it; commas, which part names, become slashes."""
    return next((name.replace(",", "/") for name, holds in category.items() if holds), "")
