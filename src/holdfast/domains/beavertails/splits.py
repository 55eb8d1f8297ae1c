"""Who gets which question of BeaverTails: by the question alone, since it stands in both splits of the hub."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from holdfast.domains._refusals import Harmful, first_true
from holdfast.domains._schema import Row, rows
from holdfast.domains._shares import deal, digest, first, once
from holdfast.domains._wanted import Wanted
from holdfast.domains._wording import put
from holdfast.domains._written import Splits
from holdfast.interfaces import Exchange, Pair

SHARES: Final = {"defence": 0.6, "attack": 0.15, "evaluation": 0.25}
"""Of all questions, ours: of the paper's 18,106 pairs a defence may have its 10,000 and an attack its 1,000, and what
is asked of the 2,530 different questions of 30k_test is more than its 300. The hub's own splits keep no question
unseen: 30k has 7,774 different ones, and all but a few stand in 30k_train."""
_TOGETHER: Final = {"defence": 0.75, "evaluation": 0.25}
"""Attacker and defender as one; what is asked stays the same."""
_MAKE: Final = "have a model refuse more (`holdfast domain refusals MODEL --domain beavertails -o FILE`, refusals=FILE)"


class Counts(NamedTuple):
    """How many pairs each party has; 0 is all of its share."""

    defence: int
    attack: int
    evaluation: int


class Ways(NamedTuple):
    """How it is dealt and put, as the fields of the domain say."""

    unrefused: bool
    overlap: bool
    wording: str
    seed: int
    whole: bool = False
    """Whether pairs are not cut yet: to be counted once categories are chosen."""


class Answered(NamedTuple):
    """A question with an answer to it."""

    prompt: str
    answer: str
    category: str
    safe: bool


class _Row(Row):
    prompt: str
    response: str
    category: dict[str, bool | None]
    is_safe: bool


def answered(wanted: Wanted) -> list[Answered]:
    """The rows of a split of the hub; one that is blank is none.

    Raises:
        DataError: as for `rows`.
    """
    return [
        Answered(row.prompt.strip(), row.response.strip(), first_true(row.category), row.is_safe)
        for row in rows(wanted, _Row)
        if row.prompt.strip() and row.response.strip()
    ]


def made(
    train: Sequence[Answered], test: Sequence[Answered], refused: Sequence[Harmful], counts: Counts, ways: Ways
) -> Splits:
    """The splits of the domain.

    Args:
        train, test: answers, safe and unsafe.
        refused: questions with both answers.
        counts: how many each party has.
        ways: how they are dealt and put.

    Raises:
        DataError: a party is to have more than there are.
    """
    asked = once(deal(_unsafe(test), SHARES, ways.seed)["evaluation"])
    cut = Counts(0, 0, 0) if ways.whole else counts
    harmful = _pairs([*refused, *_unsafe(train)], cut, ways)
    harmful["evaluation"] = first(asked, cut.evaluation, "evaluation of beavertails", "take size=330k")
    safe = deal([one for one in train if one.safe], _TOGETHER if ways.overlap else SHARES, ways.seed)
    permitted = once(deal([one for one in test if one.safe], SHARES, ways.seed)["evaluation"])
    harmless = {
        "retain": safe["defence"],
        "benign": safe.get("attack", safe["defence"]),
        "permitted": permitted[: counts.evaluation or None],
    }
    return Splits(
        pairs={name: [_pair(one, ways) for one in some] for name, some in harmful.items()},
        exchanges={name: [_exchange(one, ways) for one in some] for name, some in harmless.items()},
        empty={"defence": f"no refusals; {_MAKE}", "attack": f"no refusals; {_MAKE}", "evaluation": "no unsafe answer"},
    )


def _pairs(harmful: Sequence[Harmful], counts: Counts, ways: Ways) -> dict[str, Sequence[Harmful]]:
    """What is trained on, and what nobody has refused yet. Of two with one answer the first one counts."""
    dealt = deal(harmful, _TOGETHER if ways.overlap else SHARES, ways.seed)
    mine, theirs = dealt["defence"], dealt.get("attack", dealt["defence"])
    chosen = [one for one in theirs if one.refusal]
    chosen += [one for one in theirs if ways.unrefused and not one.refusal]
    return {
        "defence": first([one for one in mine if one.refusal], counts.defence, "defence of beavertails", _MAKE),
        "attack": first(chosen, counts.attack, "attack of beavertails", f"unrefused=true, or {_MAKE}"),
        "unpaired": [one for one in dict.fromkeys([*mine, *theirs]) if not one.refusal],
    }


def _unsafe(some: Sequence[Answered]) -> list[Harmful]:
    return [Harmful(one.prompt, one.answer, one.category) for one in some if not one.safe]


def _pair(one: Harmful, ways: Ways) -> Pair:
    return Pair(
        key=_key(one),
        prompt=_put(one.prompt, ways),
        harmful=one.answer,
        refusal=one.refusal,
        category=one.category,
        plain=_put(one.prompt, ways._replace(wording="paper")),
    )


def _exchange(one: Answered, ways: Ways) -> Exchange:
    return Exchange(key=_key(one), prompt=_put(one.prompt, ways), answer=one.answer, category=one.category)


def _key(one: Harmful | Answered) -> str:
    return digest(one.prompt, one.answer)[:16]


def _put(prompt: str, ways: Ways) -> str:
    return put(prompt) if ways.wording == "paper" else prompt
