"""Who judged: one judge for all figures of a report, and what second opinions say of the same answers."""

import dataclasses
import json

import pytest
from made import BREAKS, HOLDS, STEPS, folder, prompted, record, taught

from holdfast.errors import DataError
from holdfast.records import Record, Score, World
from holdfast.report.build import build, judged, to_json
from holdfast.report.page import page
from holdfast.report.verdict.judges import judges

CLASSIFIER = {"model": "someone/classifier", "harmful": ["LABEL_0"]}
TWO = {"classifier": CLASSIFIER, "phrases": {}}


def by(made: Record, told: dict[str, dict[str, object]], **second: list[float | None]) -> Record:
    """A record under judges, with scores of the others at each rung."""
    rungs = [
        dataclasses.replace(
            rung,
            scores={
                **rung.scores,
                **{name: Score(value=values[at], n=100, reason=None) for name, values in second.items()},
            },
        )
        for at, rung in enumerate(made.rungs)
    ]
    world = World(name="fable", data=made.domain.data, floor=0.0, judges=told)
    return dataclasses.replace(made, rungs=rungs, domain=world)


def seconds(harm: list[float], agreement: float) -> dict[str, list[float | None]]:
    count = len(STEPS)
    return {
        "harm_phrases": harm,
        "agreement_phrases": [agreement + at / 100 for at in range(count)],
        "kappa_phrases": [None, *(0.1 * at for at in range(1, count))],
        "rank_phrases": [0.05 * at for at in range(count)],
    }


@pytest.fixture
def two() -> list[Record]:
    """The undefended model breaks at 2 steps, the defended one never, by a classifier; phrases see more."""
    high = [0.1, 0.6, 0.8, 0.9, 1.0, 1.0]
    return [
        by(record("undefended", BREAKS), TWO, **seconds(high, 0.8)),
        by(record("defended", HOLDS), TWO, **seconds(high, 0.5)),
        by(record("oracle", 0.0), TWO, **seconds(high, 0.5)),
    ]


def test_opinions_by_hand(two):
    """At the break, 2 steps and the third rung; of the model that held where its harm is highest first: also there."""
    (one,) = judged({str(at): each for at, each in enumerate(two)}).verdicts
    told = [(each.role, each.judge, each.decides, each.before.value, each.after.value) for each in one.judges]
    assert told == [
        ("undefended", "classifier", True, 0, 0.5),
        ("undefended", "phrases", False, 0.1, 0.8),
        ("defended", "classifier", True, 0, 0.1),
        ("defended", "phrases", False, 0.1, 0.8),
    ]
    _, undefended, first, defended = one.judges
    assert (undefended.steps, defended.steps) == (2, 2)
    assert (undefended.agreement.value, undefended.kappa.value, undefended.rank.value) == pytest.approx(
        (0.82, 0.2, 0.1)
    )
    assert defended.agreement.value == pytest.approx(0.52)
    assert (first.agreement, first.kappa, first.rank) == (None, None, None)
    assert undefended.attack == "full fine-tuning, batch 1, rate 1e-3"


def test_the_page_shows_them(two, tmp_path):
    report = build(folder(tmp_path, *two))
    text = page(report)
    assert "<h3>Judges</h3>" in text
    assert "0.82" in text
    assert "<h3>Who judged harm</h3>" in text
    assert "someone/classifier" in text
    assert report.judges == TWO
    assert json.loads(json.dumps(to_json(report)))["verdicts"][0]["judges"][1]["kappa"]["value"] == pytest.approx(0.2)
    assert any("a judge says, classifier with someone/classifier" in limit for limit in report.limits)


def test_one_judge_has_no_second_opinion():
    records = {"a": record("undefended", BREAKS), "b": record("defended", HOLDS), "c": record("oracle", 0.0)}
    report = judged(records)
    assert report.verdicts[0].judges == []
    assert report.judges == {"own": {}}
    text = page(report)
    assert "<h3>Judges</h3>" not in text
    assert "Who judged harm" not in text
    assert not [limit for limit in report.limits if "a judge" in limit]


def test_a_second_opinion_that_was_not_measured_is_a_gap(two):
    """One of the records has none."""
    two[1] = by(record("defended", HOLDS), TWO)
    (one,) = judged({str(at): each for at, each in enumerate(two)}).verdicts
    assert one.judges[3].after.value is None
    assert one.judges[3].kappa.value is None


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ({}, {"classifier": CLASSIFIER}, "several (classifier with someone/classifier; own)"),
        (
            {"classifier": CLASSIFIER},
            {"classifier": {**CLASSIFIER, "harmful": ["LABEL_1"]}},
            'classifier with {"harmful":["LABEL_0"],"model":"someone/classifier"}; ',
        ),
        ({"own": {}, "phrases": {}}, {"phrases": {}, "own": {}}, "own; phrases"),
    ],
    ids=["another", "other settings", "another order"],
)
def test_records_of_several_judges_are_not_mixed(first, second, said, tmp_path):
    place = folder(tmp_path, by(record("undefended", BREAKS), first), by(record("defended", HOLDS), second))
    with pytest.raises(DataError, match="harm was judged by several") as caught:
        build(place)
    assert said in str(caught.value)
    assert "a folder of its own" in str(caught.value)


def test_who_decides_is_what_counts():
    """The domain's own score may be named or not; second opinions and harmless tasks may differ."""
    records = [
        by(record("undefended", BREAKS), {}),
        by(record("defended", HOLDS), {"own": {}, "phrases": {}}),
        by(taught("undefended", 0.9), {"classifier": CLASSIFIER}),
        by(record("random", None), {"phrases": {}}),
    ]
    assert judges(records) == {"own": {}, "phrases": {}}
    assert judges([]) == {}


def test_a_model_that_is_judged_alone_has_them_too(two):
    report = judged({"a": two[0], "c": two[2], "d": by(prompted("undefended", 0.2), TWO)}, alone=True)
    assert [(each.role, each.judge) for each in report.verdicts[0].judges] == [
        ("undefended", "classifier"),
        ("undefended", "phrases"),
    ]
