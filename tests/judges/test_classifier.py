"""A sequence classifier as judge: which labels count, what text it sees, and what it leaves as it was."""

import json
import math
import random

import numpy as np
import pytest
import torch
from classifiers import classifier
from transformers import pipeline

from holdfast.errors import ConfigError, ModelError
from holdfast.interfaces import Pair
from holdfast.judges import _scorer
from holdfast.judges.classifier import Classifier
from small import PAIRS, FakeDomain

DOMAIN = FakeDomain()
ANSWERS = [pair.harmful for pair in PAIRS]


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    """Nothing is known from elsewhere."""
    monkeypatch.setenv("HOLDFAST_CACHE", str(tmp_path / "cache"))


def judged(judge: Classifier, answers: list[str] = ANSWERS) -> list[float | None]:
    return judge.harm(DOMAIN, PAIRS[: len(answers)], answers)


def test_one_label_of_two(tmp_path):
    """Logits log 3 and 0: e^(log 3) / (e^(log 3) + 1) = 3/4 for the first label, 1/4 for the second."""
    place = classifier(tmp_path / "c", biases=(math.log(3), 0.0))
    assert judged(Classifier(model=place)) == pytest.approx([0.75] * 8)
    assert judged(Classifier(model=place, harmful=("LABEL_1",))) == pytest.approx([0.25] * 8)
    assert judged(Classifier(model=place, harmful=("LABEL_1", "LABEL_0"))) == pytest.approx([1.0] * 8)


def test_labels_that_exclude_one_another_are_added(tmp_path):
    """Three logits log 1, log 2, log 5: shares 1/8, 2/8 and 5/8."""
    place = classifier(tmp_path / "c", labels=("safe", "rude", "vile"), biases=(0.0, math.log(2), math.log(5)))
    assert judged(Classifier(model=place, harmful=("rude", "vile"))) == pytest.approx([7 / 8] * 8)


def test_of_labels_that_may_hold_at_once_the_most_probable_counts(tmp_path):
    """Logits log 3 and -log 3 through the sigmoid: 3/4 and 1/4."""
    place = classifier(tmp_path / "c", biases=(-math.log(3), math.log(3)), problem_type="multi_label_classification")
    assert judged(Classifier(model=place, harmful=("LABEL_0", "LABEL_1"))) == pytest.approx([0.75] * 8)
    assert judged(Classifier(model=place)) == pytest.approx([0.25] * 8)


def test_what_is_told_of_the_labels_goes_before_the_configuration(tmp_path):
    """Logits log 3 and -log 3: 3/4 by the sigmoid; 3 / (3 + 1/3) = 9/10 by softmax. Verdicts are kept apart."""
    silent = classifier(tmp_path / "silent", biases=(math.log(3), -math.log(3)))
    several = classifier(
        tmp_path / "several", biases=(math.log(3), -math.log(3)), problem_type="multi_label_classification"
    )
    for place, untold in ((silent, 0.9), (several, 0.75)):
        assert judged(Classifier(model=place)) == pytest.approx([untold] * 8)
        assert judged(Classifier(model=place, independent=True)) == pytest.approx([0.75] * 8)
        assert judged(Classifier(model=place, independent=False)) == pytest.approx([0.9] * 8)
    alone = classifier(tmp_path / "alone", labels=("LABEL_0",), biases=(math.log(3),))
    assert judged(Classifier(model=alone, independent=False)) == pytest.approx([0.75] * 8)


def test_one_label_alone_is_its_own_probability(tmp_path):
    place = classifier(tmp_path / "c", labels=("LABEL_0",), biases=(math.log(3),))
    assert judged(Classifier(model=place)) == pytest.approx([0.75] * 8)


@pytest.mark.parametrize("family", ["bert", "deberta"])
def test_it_says_what_transformers_pipeline_says(family, tmp_path, monkeypatch):
    """As the RepNoise paper's code asks it: one text after the other, the score of LABEL_0."""
    monkeypatch.setenv("HOLDFAST_CACHE", "off")
    place = classifier(tmp_path / "c", family=family)
    asked = pipeline("text-classification", model=place, top_k=None)
    texts = [f"Question: {pair.prompt}\nAnswer:{answer}" for pair, answer in zip(PAIRS, ANSWERS, strict=True)]
    expected = [next(told["score"] for told in each if told["label"] == "LABEL_0") for each in asked(texts)]
    assert len({round(score, 4) for score in expected}) > 4
    for size in (1, 3, 32):
        assert judged(Classifier(model=place, batch_size=size)) == pytest.approx(expected, abs=1e-5)


def test_a_blank_answer_does_no_harm(tmp_path):
    place = classifier(tmp_path / "c", biases=(math.log(3), 0.0))
    assert judged(Classifier(model=place), ["", " \n", "yes"]) == pytest.approx([0, 0, 0.75])
    # And where all are blank nothing is loaded.
    assert Classifier(model="nobody/none").harm(DOMAIN, PAIRS[:1], [""]) == [0]


def test_the_question_is_judged_alike_however_it_is_put():
    """As it is, or as the paper puts it to every model."""
    judge, question = Classifier(), "How do I make a stew ?"
    expected = "Question: How do I make a stew ?\nAnswer: First stir {prompt}."
    assert judge._text(question, " First stir {prompt}.") == expected
    assert judge._text(f"Question: {question}\nAnswer:", " First stir {prompt}.") == expected
    assert Classifier(template="{answer}")._text(question, "yes") == "yes"
    with pytest.raises(ConfigError, match=r"template 'Question: \{prompt\}' has no \{answer\}"):
        Classifier(template="Question: {prompt}")


def test_a_long_text_loses_its_beginning(tmp_path, monkeypatch):
    """40 words before an answer, of which 8 tokens are read: the answer decides, the question does not."""
    monkeypatch.setenv("HOLDFAST_CACHE", "off")
    judge = Classifier(model=classifier(tmp_path / "c"), max_length=8)
    pairs = [Pair(key=word, prompt=f"{word} " * 40, harmful="x", refusal="no") for word in ("stew", "hex")]
    said = "First stir the hex . yes yes yes yes yes"
    same = judge.harm(DOMAIN, pairs, [said, said])
    assert same[0] == pytest.approx(same[1], abs=1e-6)
    other = judge.harm(DOMAIN, pairs, [said, said.replace("yes", "stew")])
    assert other[0] != pytest.approx(other[1], abs=1e-3)
    # The model takes 64 tokens, whatever is asked for.
    assert len(Classifier(model=judge.model, max_length=5000).harm(DOMAIN, pairs, [said, said])) == 2


def test_it_leaves_everything_as_it_was(tmp_path):
    place = classifier(tmp_path / "c")
    random.seed(1), np.random.seed(2), torch.manual_seed(3)
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    first = judged(Classifier(model=place))
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]
    assert torch.equal(torch.get_rng_state(), states[2])
    network = _scorer.loaded(place, "").network
    assert not any(module.training for module in network.modules())  # its dropout draws nothing
    assert not any(weight.requires_grad for weight in network.parameters())
    assert judged(Classifier(model=place)) == first


def test_it_is_loaded_once_a_process_and_anew_where_it_has_changed(tmp_path):
    place = classifier(tmp_path / "c", biases=(0.0, 0.0))
    assert _scorer.loaded(place, "") is _scorer.loaded(place, "")
    before = Classifier(model=place).fingerprint()
    assert judged(Classifier(model=place)) == pytest.approx([0.5] * 8)
    classifier(tmp_path / "c", biases=(math.log(3), 0.0))
    assert judged(Classifier(model=place)) == pytest.approx([0.75] * 8)
    assert Classifier(model=place).fingerprint() != before
    assert Classifier(revision="abc").fingerprint().endswith("classifier@abc")


def test_a_label_that_it_lacks(tmp_path):
    place = classifier(tmp_path / "c", labels=("safe", "unsafe"))
    with pytest.raises(ConfigError, match="has no label 'LABEL_0'; it has 'safe', 'unsafe': say which"):
        judged(Classifier(model=place))


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda place: (place / "model.safetensors").unlink(), "cannot load the classifier"),
        (lambda place: (place / "model.safetensors").write_bytes(b"{"), "cannot load the classifier"),
        (lambda place: (place / "config.json").write_text("{}"), "cannot load the classifier"),
        (
            lambda place: (place / "config.json").write_text(
                (place / "config.json").read_text().replace("{", '{"problem_type": "regression", ', 1)
            ),
            "is a regression",
        ),
        (
            lambda place: (place / "config.json").write_text(
                json.dumps({**json.loads((place / "config.json").read_text()), "model_type": "roberta"})
            ),
            "is no trained sequence classifier: it lacks",
        ),
    ],
)
def test_what_cannot_be_used(broken, said, tmp_path):
    classifier(tmp_path / "c")
    broken(tmp_path / "c")
    with pytest.raises((ModelError, ConfigError), match=said):
        judged(Classifier(model=str(tmp_path / "c")))


def test_one_that_is_nowhere():
    with pytest.raises(ModelError, match=r"cannot find the classifier nobody/none: .*\(download it first"):
        judged(Classifier(model="nobody/none"))
