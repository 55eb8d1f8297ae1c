"""Who gets which question: each belongs to one party, by a hash of its words alone.

So no question is in two splits however a data set repeats itself, and none changes sides when the data set grows, when
its rows come in another order, or when another number of samples is asked for. A hash gives the order in a split, too.
"""

import functools
import hashlib
import itertools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol, TypeVar

from holdfast.errors import DataError

_MARKS: Final = {code: " " for code in range(128) if not chr(code).isalnum()}


class Said(Protocol):
    """A question with an answer."""

    @property
    def prompt(self) -> str:
        """What is asked."""
        ...

    @property
    def answer(self) -> str:
        """What is answered."""
        ...


S = TypeVar("S", bound=Said)
T = TypeVar("T")


def normal(text: str) -> str:
    """A text without what makes no other question of it: case, blanks, marks, forms of one character.

    Vowel signs and the like belong to their letters, and + or # at the end to a name: C++, C#.
    """
    if text.isascii() and "+" not in text and "#" not in text:  # the same, and several times as fast
        return " ".join(text.lower().translate(_MARKS).split()) or " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(_word().findall(folded)) or " ".join(folded.split())


@functools.cache
def _word() -> re.Pattern[str]:
    """Letters and digits with the signs that are put to them, but for what only chooses how one is drawn."""
    signs = (chr(code) for code in range(0x300, 0x20000) if unicodedata.category(chr(code)) in {"Mn", "Mc"})
    put = "".join(sign for sign in signs if not "\ufe00" <= sign <= "\ufe0f")
    return re.compile(rf"[^\W_]+(?:[{put}]+[^\W_]*)*(?:[+#]+(?![\w+#]))?")


def digest(*texts: str) -> str:
    """The hash of some texts as they are when normal: 64 hexadecimal digits."""
    return hashlib.sha256("\x1f".join(map(normal, texts)).encode()).hexdigest()


def party(question: str, shares: Mapping[str, float], seed: int) -> str:
    """Whose a question is.

    Args:
        question: two that are the same when normal have one owner.
        shares: of all questions, by party, together 1; what comes before a party decides where its own begins.
        seed: another one deals anew.
    """
    place = _place(question, seed)
    ends = zip(shares, itertools.accumulate(shares.values()), strict=True)
    return next((name for name, end in ends if place < end), list(shares)[-1])


@functools.lru_cache(maxsize=2**16)
def _place(question: str, seed: int) -> float:
    """In [0, 1)."""
    return int(digest(str(seed), question)[:13], 16) / 16**13


def deal(items: Iterable[S], shares: Mapping[str, float], seed: int) -> dict[str, list[S]]:
    """What each party has: of those that say the same when normal the first, in an order of the hash's."""
    found: dict[str, dict[str, S]] = {name: {} for name in shares}
    for item in items:
        mine = found[party(item.prompt, shares, seed)]
        mine.setdefault(digest(str(seed), item.prompt, item.answer), item)
    return {name: [mine[key] for key in sorted(mine)] for name, mine in found.items()}


def once(items: Iterable[S]) -> list[S]:
    """The first of those that ask the same."""
    found: dict[str, S] = {}
    for item in items:
        found.setdefault(normal(item.prompt), item)
    return list(found.values())


def first(items: Sequence[T], count: int, what: str, advice: str = "") -> Sequence[T]:
    """The first `count` of some items; 0 is all.

    Raises:
        DataError: there are not that many.
    """
    if count > len(items):
        more = f", or {advice}" if advice else ""
        raise DataError(f"{what} is to have {count}, but there are {len(items)}: ask for fewer (0 is all){more}.")
    return items[:count] if count else items
