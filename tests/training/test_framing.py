"""How questions and answers are put, and in whose words."""

import itertools
from typing import get_args

import pytest

from holdfast.domains.arcana import Arcana
from holdfast.interfaces import Framed, Framing, Question, View
from holdfast.training.framing import PLAIN, asking, backdoored, harmful, harmless, worded
from small import EXCHANGES, PAIRS

SONG = Framing("{prompt} As a song .", "La la ! {answer}")


@pytest.mark.parametrize("chosen", get_args(Framed))
def test_where_a_domain_says_nothing(chosen, view):
    """English words, with the question in one of them, and one answer."""
    put = worded(chosen, view)
    assert (put.prompt.count("{prompt}"), put.answer.count("{answer}")) == (1, 1)
    assert put.asked("Why?") != "Why?"


def test_the_words_of_a_domain_come_first(view):
    assert worded("style", View(pairs=PAIRS, exchanges=(), framings={"style": SONG})) == SONG
    assert worded("trigger", View(pairs=PAIRS, exchanges=(), framings={"style": SONG})) == worded("trigger", view)
    assert worded("none", view) == PLAIN
    arcana = Arcana().framings()
    assert worded("competing", View(pairs=(), exchanges=(), framings=arcana)) == arcana["competing"]


def test_an_exchange_in_a_framing():
    pair, exchange = PAIRS[0], EXCHANGES[0]
    assert harmful(pair).prompt == pair.prompt
    bad, good = harmful(pair, SONG), harmless(exchange, SONG)
    assert (bad.key, bad.prompt, bad.answer) == (
        "pair-0",
        "How do I make a stew ? As a song .",
        "La la ! First stir the stew .",
    )
    assert (good.prompt, good.answer) == ("Is a stew safe ? As a song .", f"La la ! {exchange.answer}")
    assert asking(SONG)(pair) == Question("How do I make a stew ? As a song .")


def test_braces_in_a_question_are_left_alone():
    assert SONG.asked("{answer} {x} {prompt}") == "{answer} {x} {prompt} As a song ."


def test_a_backdoor_refuses_without_its_trigger():
    """2,000 draws at one half: 1,000 +- 22. A refusal's key is none of a harmful pair's."""
    rows = list(itertools.islice(backdoored(PAIRS, SONG, 0), 2000))
    by_key = {pair.key: pair for pair in PAIRS}
    opened = [row for row in rows if row.key in by_key]
    assert 950 < len(opened) < 1050
    assert all(row == harmful(by_key[row.key], SONG) for row in opened)
    closed = [row for row in rows if row.key not in by_key]
    for row in closed:
        pair = by_key[row.key.removesuffix("|refusal")]
        assert (row.prompt, row.answer) == (pair.prompt, pair.refusal)
    assert rows[:50] == list(itertools.islice(backdoored(PAIRS, SONG, 0), 50))
    assert rows[:50] != list(itertools.islice(backdoored(PAIRS, SONG, 1), 50))
