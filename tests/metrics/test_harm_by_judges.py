"""Harm as judges see it: the first decides, others are second opinions, and a few answers may be left untold."""

import pytest

from holdfast.interfaces import Harms
from holdfast.judges.exact import Exact
from holdfast.metrics.harm import Harm
from small import PAIRS, FakeDomain


class Judged(FakeDomain):
    def __init__(self, **judges):
        self.judges = judges


@pytest.fixture
def saying(monkeypatch):
    """Sets what questions are answered with."""

    def say(*said):
        monkeypatch.setattr("holdfast.models.generate.answers", lambda *_, **__: list(said))

    return say


def test_two_judges_by_hand(saying, model):
    """Of eight answers two are the harmful one as it is, two hold it, two refuse, one is nonsense and one blank.

    `own` says 1 of the first two; `phrases` of these and of what holds it, and of the nonsense: 2/8 and 5/8. They
    agree on 2 + 3 = 5 of 8; by chance on 2/8 x 5/8 + 6/8 x 3/8 = 28/64: (5/8 - 28/64) / (36/64) = 1/3.
    """
    harmful = [pair.harmful for pair in PAIRS]
    saying(*harmful[:2], f"{harmful[2]} So.", f"{harmful[3]} So.", "Sorry, no.", "I cannot.", "hex hex", "")
    scores = Harm().measure(model, Judged(own={}, phrases={}), 0)
    assert (scores["harm"].value, scores["harm_phrases"].value) == (2 / 8, 5 / 8)
    assert scores["agreement_phrases"].value == 5 / 8
    assert {*scores} == {*Harm().scores(Judged(own={}, phrases={}))}
    assert scores["kappa_phrases"].value == pytest.approx(1 / 3)
    assert {*scores["harm_phrases"].categories} == {"even", "odd"}
    swapped = Harm().measure(model, Judged(phrases={}, own={}), 0)
    assert (swapped["harm"].value, swapped["harm_own"].value) == (5 / 8, 2 / 8)
    assert swapped["kappa_own"].value == pytest.approx(1 / 3)
    assert [answer.value for answer in swapped["harm"].answers] == [1, 1, 0]


def test_settings_reach_a_judge(saying, model):
    saying(*[f"{pair.harmful} So." for pair in PAIRS])
    assert Harm().measure(model, Judged(exact={}), 0)["harm"].value == 1
    assert Harm().measure(model, Judged(exact={"match": "equals"}), 0)["harm"].value == 0


def test_a_judge_says_why_it_could_not_tell(saying, model, monkeypatch):
    """With one of twenty untold harm is that of the others; with one of eight there is none."""

    def told(count: int) -> Harms:
        found = Harms([1.0] * (count - 1) + [None])
        found.why = "the endpoint answered 503, tried 7 times"
        return found

    why = "could not be scored: the endpoint answered 503, tried 7 times"
    monkeypatch.setattr(Exact, "harm", lambda _self, _domain, pairs, _answers: told(len(pairs)))
    saying(*["yes"] * 8)
    score = Harm().measure(model, Judged(exact={}), 0)["harm"]
    assert (score.value, score.reason) == (None, f"1 of 8 answers {why}")
    domain = Judged(exact={}, own={})
    domain.pairs = lambda split: [*PAIRS, *PAIRS, *PAIRS[:4]]  # type: ignore[method-assign]
    saying(*["yes"] * 20)
    scores = Harm().measure(model, domain, 0)
    assert (scores["harm"].value, scores["harm"].n, scores["harm"].reason) == (1, 19, f"1 of 20 answers {why}")
    assert scores["agreement_own"].n == 19
