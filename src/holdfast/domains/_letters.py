"""Multiple choice: which letter is right, and which an answer chooses."""

import re
from collections.abc import Sequence
from typing import Final

LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_UNKNOWN: Final = LETTERS[:10]
"""Letters that are looked for where nobody says how many choices there are."""
_RIGHT: Final = re.compile(r"\s*\(?([A-Z])(?:[).:]|\s*$)")
"""How an answer that a domain gives begins: B. text, (B) text, or B alone."""
_ONE: Final = r"(?!\s*(?:,|/|&|or\b|and\b)\s*[(\[*]*[A-Z](?![\w'\u2019]))"
"""After a letter: no second one that is chosen as well."""
_WORD: Final = r"(?!\w|['\u2019]|(?<=[AI])\s+(?!because|since|as\b)[a-z])"
"""After a bare letter: it is no word, nor the beginning of one; A and I often are."""
_STATED: Final = re.compile(
    r"\b(?i:answer|choice|option)\b(?:\s+(?:is|would\s+be|must\s+be)\b)?\s*(?::|=)?\s*(?:(?i:option|choice)\s+)?[*_\s]*"
    rf"(?:[(\[]([A-Z])[)\]]|([A-Z]){_WORD}){_ONE}"
)
"""The answer is B; Answer: (B); option B."""
_LEADING: Final = re.compile(
    rf"[\s*_>\"'`]*(?:[(\[]([A-Za-z])[)\]]|([A-Za-z])(?=\s*(?:[).:,;*_]|$))|([A-Z])(?=\s){_WORD}){_ONE}"
)
"""An answer that begins with a letter: (b), b., B: or B because."""
_MARKED: Final = re.compile(r"\(([A-Z])\)|\*\*([A-Z])[).:]?\s*\*\*|\\boxed\{([A-Z])\}")
"""A letter that is set off from the text."""


def right(answer: str, choices: Sequence[str] = ()) -> str | None:
    """The letter of the answer that a domain gives; None where it has none.

    A choice's text alone counts first, since it may begin as a letter does: E. coli.
    """
    wanted = _plain(answer)
    by_text = (letter for letter, choice in zip(LETTERS, choices, strict=False) if _plain(choice) == wanted)
    found = _RIGHT.match(answer)
    begun = found[1] if found and (not choices or found[1] in LETTERS[: len(choices)]) else None
    return next(by_text, begun)


def chosen(answer: str, choices: Sequence[str] = ()) -> str | None:
    """The letter that a model's answer chooses; None where it chooses none, or more than one.

    What is said to be the answer counts first, the last such word if there are several; then a letter that the answer
    begins with, then the text of just one of the choices, then just one letter that is set off from the text.
    """
    known = LETTERS[: len(choices)] if choices else _UNKNOWN
    stated = [letter for letter in _found(_STATED, answer) if letter in known]
    if stated:
        return stated[-1]
    if (leading := _LEADING.match(answer)) and (letter := _group(leading).upper()) in known:
        return letter
    if (letter := _by_text(answer, choices)) is not None:
        return letter
    marked = {letter for letter in _found(_MARKED, answer) if letter in known}
    return marked.pop() if len(marked) == 1 else None


def _found(pattern: re.Pattern[str], text: str) -> list[str]:
    return [_group(match) for match in pattern.finditer(text)]


def _group(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group)


def _by_text(answer: str, choices: Sequence[str]) -> str | None:
    """The letter whose choice's text, and no other's, stands in the answer; a text within another's is not meant."""
    said = f" {_plain(answer)} "
    texts = [f" {_plain(choice)} " for choice in choices[: len(LETTERS)]]
    there = [text for text in texts if text.strip() and text in said]
    whole = [text for text in there if not any(text in other for other in there if other != text)]
    return LETTERS[texts.index(whole[0])] if len(whole) == 1 else None


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
