"""What a model or a user wrote, made safe to show: nothing in it is invisible, endless or turns the line around."""

import unicodedata
from typing import Final

# Control, format (bidirectional marks and zero-width among them), surrogate and private-use code points, and the
# two separators that break a line.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# Letters and marks that draw nothing: fillers, the grapheme joiner, and variation selectors but the two of emoji.
_BLANK: Final = frozenset(
    [
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0),
        *range(0x180B, 0x180F),
        *range(0xFE00, 0xFE0E),
        *range(0xE0100, 0xE01F0),
    ]
)
_NAMED: Final = {"\n": "⏎", "\t": "⇥"}
_MARKS: Final = 4
"""So many combining marks on one letter are language; more only climb over the lines above."""


def shown(text: str, limit: int = 400) -> str:
    """A text on one line, at most `limit` of its characters, with everything unseen in it made visible.

    A line break is ⏎, a tab ⇥, and any other character that is not seen its number: ⟨U+202E⟩. Unicode has pictures
    of control characters, but few fonts do.
    What is left is valid in XML and UTF-8. It is not escaped for HTML or Markdown.

    Args:
        text: anything.
        limit: characters of `text` that are kept; a longer one ends in a note of its full length.
    """
    note = f"… ({len(text):,} characters)" if len(text) > limit else ""
    kept = text[:limit].replace("\r\n", "\n")
    if kept.isascii() and kept.isprintable():
        return kept + note
    parts: list[str] = []
    marks = 0
    for char in kept:
        marks = marks + 1 if unicodedata.category(char) in {"Mn", "Me"} else 0
        parts.append(_numbered(char) if marks > _MARKS else _visible(char))
    return "".join(parts) + note


def _visible(char: str) -> str:
    code = ord(char)
    if char in _NAMED:
        return _NAMED[char]
    # The last two code points of every plane, and U+FDD0 to U+FDEF, are no characters: XML has no place for them.
    never = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    if never or code in _BLANK or unicodedata.category(char) in _UNSEEN:
        return _numbered(char)
    return char


def _numbered(char: str) -> str:
    return f"⟨U+{ord(char):04X}⟩"
