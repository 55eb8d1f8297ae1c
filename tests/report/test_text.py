"""Text made safe: what is unseen is named, what is endless is cut, and what is plain stays."""

import unicodedata
import xml.etree.ElementTree as ET

import pytest
from hostile import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.report.text import shown

UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words, 98 %", "plain words, 98 %"),
        ("naïve 漢字 עברית 🙂", "naïve 漢字 עברית 🙂"),
        ("a\nb\r\nc\td", "a⏎b⏎c⇥d"),
        ("\x00\x1b[31m\x7f\x9b", "⟨U+0000⟩⟨U+001B⟩[31m⟨U+007F⟩⟨U+009B⟩"),
        ("\u202egnirts\u202c", "⟨U+202E⟩gnirts⟨U+202C⟩"),
        ("a\u200bb\ufeffc\u2066d\u061ce", "a⟨U+200B⟩b⟨U+FEFF⟩c⟨U+2066⟩d⟨U+061C⟩e"),
        ("\ud800 \ufffe \U0001ffff \ufdd0", "⟨U+D800⟩ ⟨U+FFFE⟩ ⟨U+1FFFF⟩ ⟨U+FDD0⟩"),
        ("line\u2028end\ue000", "line⟨U+2028⟩end⟨U+E000⟩"),
        ("tag\U000e0041 \u3164 \ufe00", "tag⟨U+E0041⟩ ⟨U+3164⟩ ⟨U+FE00⟩"),
        ("e" + 6 * "\u0301", "e" + 4 * "\u0301" + 2 * "⟨U+0301⟩"),
    ],
)
def test_by_hand(text, expected):
    assert shown(text) == expected


def test_what_is_too_long_says_how_long_it_is():
    assert shown("abcdef", 6) == "abcdef"
    assert shown("abcdefg", 6) == "abcdef… (7 characters)"
    assert shown("x" * 2**20, 3) == "xxx… (1,048,576 characters)"


def test_of_a_megabyte_no_more_is_looked_at_than_is_shown():
    """Forty characters, each told in eight, and the note."""
    assert len(shown("\u202e" * 2**20, 40)) < 40 * 8 + 30


@settings(deadline=None)
@given(st.text(st.characters()) | st.sampled_from(HOSTILE))
def test_any_text_is_valid_and_seen_and_stays_so(text):
    once = shown(text, 10**7)
    assert not {unicodedata.category(char) for char in once} & UNSEEN
    once.encode()
    element = ET.Element("a")
    element.text = once
    assert ET.fromstring(ET.tostring(element)).text == (once or None)
    assert shown(once, 10**8) == once
