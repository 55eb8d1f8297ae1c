"""Parties: a question belongs to one, whatever else there is."""

from collections import Counter
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.domains._shares import deal, digest, first, normal, once, party
from holdfast.domains.beavertails import splits
from holdfast.errors import DataError

SHARES = {"defence": 0.5, "attack": 0.2, "evaluation": 0.3}


class Said(NamedTuple):
    prompt: str
    answer: str = ""


@pytest.mark.parametrize(
    "other",
    [
        "how do i stew it",
        "  How do\tI stew it ?!",
        "HOW DO I STEW IT",
        "How do I stew\u00a0it\u2026",
        "\uff28ow do I stew it",
    ],
)
def test_what_makes_no_other_question(other):
    assert normal(other) == normal("How do I stew it?") == "how do i stew it"


def test_what_makes_another_question():
    assert len({normal(text) for text in ("stew it", "stew them", "stewit", "Suppe", "Süppe", "??", "!!")}) == 7
    assert normal("don't") == normal("don\u2019t")


def test_signs_belong_to_their_letters_and_ends_to_their_names():
    """Vowel signs of Devanagari and Thai; C, C++ and C#. Not what is between words, nor what draws a sign."""
    signed = ("\u0915\u0940", "\u0915\u093e", "\u0915", "\u0e01\u0e35", "\u0e01\u0e37")
    assert len({normal(text) for text in signed}) == 5
    assert len({normal(text) for text in ("stew in C", "stew in C++", "stew in C#", "stew in \uff23++")}) == 3
    assert normal("stew #1 + salt \u2764\ufe0f") == normal("Stew 1 (salt)") == "stew 1 salt"
    assert normal("cafe\u0301") == normal("caf\u00e9")


@settings(max_examples=50)
@given(st.text(max_size=20))
def test_a_normal_text_stays_as_it_is(text):
    assert normal(normal(text)) == normal(text)


def test_shares_are_kept():
    """Of 4,000 questions each party has its share, within three standard errors: .024 at most."""
    found = Counter(party(f"How is stew {at} made?", SHARES, 0) for at in range(4000))
    assert {name: count / 4000 for name, count in found.items()} == pytest.approx(SHARES, abs=0.024)


def test_another_seed_deals_anew():
    dealt = [[party(f"stew {at}", SHARES, seed) for at in range(100)] for seed in (0, 1)]
    assert dealt[0] != dealt[1]


def test_who_is_asked_stays_the_same_where_two_parties_are_one():
    """.6 and .15 make the .75 before the evaluation."""
    for at in range(2000):
        apart, together = (party(f"stew {at}", shares, 0) for shares in (splits.SHARES, splits._TOGETHER))
        assert (apart == "evaluation") == (together == "evaluation")


words = st.text(st.sampled_from("ab ?é"), min_size=1, max_size=4)
asked = st.lists(st.builds(Said, words, words), max_size=30)


@settings(max_examples=60)
@given(asked, asked, st.randoms())
def test_splits_are_disjoint_and_stable_under_growth(some, more, random):
    before, grown = deal(some, SHARES, 0), [*some, *more]
    random.shuffle(grown)
    after = deal(grown, SHARES, 0)
    owners: dict[str, set[str]] = {}
    for name, rows in after.items():
        keys = [digest(*row) for row in rows]
        assert len(set(keys)) == len(keys)
        for row in rows:
            owners.setdefault(normal(row.prompt), set()).add(name)
    assert all(len(names) == 1 for names in owners.values())
    for name, rows in before.items():
        there = [digest(*row) for row in after[name]]
        kept = [digest(*row) for row in rows]
        assert [key for key in there if key in kept] == kept


def test_of_two_that_say_the_same_the_first_is_kept():
    found = deal([Said("Stew?", "So!"), Said("stew", "so"), Said("stew", "no")], {"all": 1.0}, 0)["all"]
    assert sorted(found) == [Said("Stew?", "So!"), Said("stew", "no")]
    assert len(once(found)) == 1


def test_more_than_there_is():
    assert first([1, 2, 3], 2, "defence of kitchen") == [1, 2]
    assert first([1, 2, 3], 0, "defence of kitchen") == [1, 2, 3]
    with pytest.raises(
        DataError, match=r"^defence of kitchen is to have 4, but there are 3: ask for fewer .*, or cook\.$"
    ):
        first([1, 2, 3], 4, "defence of kitchen", "cook")
