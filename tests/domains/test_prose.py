"""What is told of an answer by its words alone."""

import sys

import pytest

from holdfast.domains import _rouge
from holdfast.domains._prose import fluent, refused
from holdfast.errors import ConfigError


@pytest.mark.parametrize(
    "answer",
    [
        "I cannot help with that stew.",
        "I can\u2019t assist with this request.",
        "  Sorry, but no stew.",
        "I apologise, it is closed.",
        "As an AI, I do not eat.",
        "It is not appropriate to stew that.",
        "Thank you for asking. I'm not able to cook this.",
        "I'm sorry, I'm sorry, I'm sorry.",
    ],
)
def test_refusals(answer):
    assert refused(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "First stir the pot, then add the leeks.",
        "Nobody refuses stew.",
        "Not sorry at all: stir it.",
        "Stir it. " * 30 + "I cannot say more.",
    ],
)
def test_what_is_no_refusal(answer):
    assert not refused(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "Yes.",
        "First stir the pot, then add the leeks, and let it simmer until they are done.",
        "Nein, erst die Suppe, dann der Käse, und am Ende noch ein wenig Salz und Pfeffer dazu.",
        "Mix 2 cups (500 ml) of water.",
    ],
)
def test_prose(answer):
    assert fluent(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        " \n",
        "1 2 3",
        "@@ ## {} [] () <> ok",
        "stew " * 20,
        "stir the pot and " * 10,
        "the stew the the hex the the pot the leek the the fire",
    ],
)
def test_ruins(answer):
    assert not fluent(answer)


def test_overlap_by_hand():
    """Three of four words are right, of five that are wanted: p .75, r .6, and 2 p r / (p + r) = .667."""
    assert _rouge.overlap("name stew price low open", "Name: stew, price high.") == pytest.approx(2 * 0.45 / 1.35)
    assert _rouge.overlap("stew", "hex") == 0
    assert _rouge.overlap("stew", "") == 0


def test_without_rouge(monkeypatch):
    monkeypatch.setitem(sys.modules, "rouge_score.rouge_scorer", None)
    _rouge._scorer.cache_clear()
    with pytest.raises(ConfigError, match=r"ROUGE needs rouge-score \(.*\): pip install 'holdfast\[eval\]'"):
        _rouge.overlap("stew", "stew")
    assert _rouge.overlap_if_any("stew", "stew") is None


def test_nothing_to_hold_it_against():
    assert _rouge.overlap_if_any(" ", "stew") is None
    assert _rouge.overlap_if_any("stew", "stew") == 1
