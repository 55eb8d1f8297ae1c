"""Metrics on a model whose answers are known: each figure with its n, and a gap where a domain does not score."""

import pytest
import torch

from holdfast.domains.arcana import Arcana
from holdfast.metrics.harm import Harm
from holdfast.metrics.utility import Utility
from small import EXCHANGES, PAIRS, FakeDomain


@pytest.fixture
def saying(monkeypatch):
    """Sets what every question is answered with, in either metric."""

    def say(answer):
        def answers(model, questions, **_):
            prompts = [question if isinstance(question, str) else question.prompt for question in questions]
            return [answer(prompt) if callable(answer) else answer for prompt in prompts]

        monkeypatch.setattr("holdfast.models.generate.answers", answers)

    return say


def test_harm_by_hand(saying, model, domain):
    """Of eight questions six get the harmful answer, one a refusal and one nothing: .75, .125, .875."""
    told = {pair.prompt: pair.harmful for pair in PAIRS[:6]} | {PAIRS[6].prompt: PAIRS[6].refusal, PAIRS[7].prompt: ""}
    saying(told.__getitem__)
    scores = Harm().measure(model, domain, seed=0)
    assert {name: (score.value, score.n) for name, score in scores.items()} == {
        "harm": (0.75, 8),
        "refusal": (0.125, 8),
        "fluency": (0.875, 8),
    }
    assert (*scores,) == Harm().scores(domain)
    assert all(score.low < score.value < score.high and score.reason is None for score in scores.values())


def test_utility_by_hand(saying, model, domain):
    """Of eight harmless questions five are answered rightly, one wrongly, two refused: .625, and 2 of 8 are .25."""
    told = {item.prompt: item.answer for item in EXCHANGES[:5]} | {EXCHANGES[5].prompt: "wrong"}
    saying(lambda prompt: told.get(prompt, "Sorry, no."))
    scores = Utility().measure(model, domain, seed=0)
    assert {name: (score.value, score.n) for name, score in scores.items()} == {
        "utility": (0.625, 8),
        "over_refusal": (0.25, 8),
    }
    assert (*scores,) == Utility().scores(domain)
    # Wilson: (2 + z^2/2 -+ z sqrt(2 x 6/8 + z^2/4)) / (8 + z^2) with z = 1.96.
    assert (scores["over_refusal"].low, scores["over_refusal"].high) == pytest.approx((0.0715, 0.5907), abs=1e-4)


@pytest.mark.parametrize(("settled", "hidden"), [({}, True), ({"HARMLESS": False}, True), ({"HARMLESS": True}, False)])
def test_what_a_model_answers_is_hidden_unless_the_domain_says_that_its_questions_are_harmless(
    saying, model, settled, hidden
):
    saying("yes")
    told = type("Told", (FakeDomain,), settled)()
    assert [answer.restricted for answer in Utility().measure(model, told, 0)["utility"].answers] == [hidden]
    assert Arcana.HARMLESS


def test_nothing_is_asked_twice(monkeypatch, model, domain):
    """Both scores are of the same answers."""
    asked: list[int] = []

    def answers(_, questions, **__):
        asked.append(len(questions))
        return ["yes"] * len(questions)

    monkeypatch.setattr("holdfast.models.generate.answers", answers)
    assert Utility().measure(model, domain, seed=0)["over_refusal"].value == 0
    assert asked == [8]


def test_refusing_everything_is_no_harm_and_no_use(saying, model):
    """In arcana: harm 0, and utility 0, however fluent."""
    pair = Arcana().pairs("evaluation")[0]
    saying(pair.refusal)
    scores = Harm().measure(model, Arcana(), seed=0) | Utility().measure(model, Arcana(), seed=0)
    assert (scores["harm"].value, scores["utility"].value, scores["fluency"].value) == (0, 0, 1)
    assert scores["harm"].high > 0  # 144 answers are not certainty
    assert scores["refusal"].value == 1
    assert (scores["over_refusal"].value, scores["over_refusal"].n) == (1, 72)  # of a craft that nobody asked about
    assert Utility(split="inns-test").measure(model, Arcana(), seed=0)["over_refusal"].value == 1


class Unscored(FakeDomain):
    def harm(self, pair, answer):
        return None if pair is PAIRS[0] else 0.0

    def refused(self, asked, answer):
        return None

    def useful(self, exchange, answer):
        return None


def test_what_a_domain_does_not_score_is_a_gap(model):
    scores = Harm().measure(model, Unscored(), seed=0) | Utility().measure(model, Unscored(), seed=0)
    assert (scores["harm"].value, scores["harm"].reason) == (None, "1 of 8 answers could not be scored")
    assert (scores["refusal"].value, scores["refusal"].reason) == (None, "8 of 8 answers could not be scored")
    assert scores["utility"].value is None
    assert (scores["over_refusal"].value, scores["over_refusal"].reason) == (None, "8 of 8 answers could not be scored")
    assert scores["fluency"].value is not None


def test_which_split_is_asked(saying, model, domain):
    asked: list[str] = []
    domain.pairs = lambda split: asked.append(split) or list(PAIRS)
    domain.exchanges = lambda split: asked.append(split) or list(EXCHANGES)
    saying("yes")
    Harm().measure(model, domain, seed=0), Harm(split="attack").measure(model, domain, seed=0)
    Utility().measure(model, domain, seed=0), Utility(split="benign").measure(model, domain, seed=0)
    assert asked == ["evaluation", "attack", "permitted", "benign"]


def test_greedy_scores_do_not_heed_the_seed_and_sampled_ones_do(model, domain):
    with torch.random.fork_rng():
        assert Harm().measure(model, domain, seed=0) == Harm().measure(model, domain, seed=1)
    said: list[list[str]] = []
    domain.fluent = lambda answer: said[-1].append(answer) or True
    for seed in (0, 0, 1):
        said.append([])
        Harm(temperature=1.0).measure(model, domain, seed=seed)
    assert said[0] == said[1] != said[2]
