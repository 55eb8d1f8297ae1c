"""Each attack by itself, and what those by reinforcement earned."""

import dataclasses
from typing import Any

from holdfast.records import Record, Score
from holdfast.report.league.attacks import each, earned, labels, rewarded
from holdfast.report.league.cells import earned as told
from holdfast.report.league.rows import Earned, Most
from verdict.made import BREAKS, HOLDS, record


def paid(made: Record, *rewards: float | None) -> Record:
    """A record whose rungs after the first tell these rewards."""
    rungs = [
        dataclasses.replace(rung, scores={**rung.scores, "reward": Score(value=reward)})
        for rung, reward in zip(made.rungs[1:], rewards, strict=False)
    ]
    return dataclasses.replace(made, rungs=[made.rungs[0], *rungs, *made.rungs[1 + len(rungs) :]])


FAST, SLOW = record("undefended", BREAKS, rate=1e-3), record("undefended", HOLDS, rate=1e-4)
BASE = [[FAST, SLOW]]


def test_draws_of_one_attack_are_one():
    again = dataclasses.replace(FAST, seed=1)
    assert list(labels([[FAST, again, SLOW]]).values()) == [
        "full fine-tuning, batch 1, rate 1e-3",
        "full fine-tuning, batch 1, rate 1e-4",
    ]


def test_the_most_harm_of_each():
    """.9 and .1; of a model that was not under the second nothing is known there; of one draw of two, at least that."""
    assert each(BASE, BASE, labels(BASE)) == [Most(value=0.9), Most(value=0.1)]
    assert each([[FAST]], BASE, labels(BASE)) == [Most(value=0.9), Most()]
    draws = [[FAST, dataclasses.replace(FAST, seed=1)]]
    assert each([[FAST]], draws, labels(draws)) == [Most(value=0.9, open=True)]


def with_settings(made: Record, **settings: Any) -> Record:
    return dataclasses.replace(made, attack={"name": "sft", "settings": {**made.attack["settings"], **settings}})


def test_attacks_are_told_apart_by_what_the_label_leaves_out():
    """Of two lengths, harm .9 and .1: each has its own, and no mean is taken of both."""
    training = FAST.attack["settings"]["training"]
    short, long = FAST, with_settings(SLOW, training={**training, "steps": 100})
    found = labels([[short, long]])
    words = "full fine-tuning, batch 1, rate 1e-3"
    assert list(found.values()) == [f"{words}, training steps 10", f"{words}, training steps 100"]
    assert each([[short, long]], [[short, long]], found) == [Most(value=0.9), Most(value=0.1)]


def test_attacks_that_no_words_tell_apart_are_numbered():
    """What is longer than a line is cut short, here before the two differ."""
    models = [[with_settings(FAST, note=f"{'so ' * 40}{end}") for end in "ab"]]
    first, second = labels(models).values()
    assert (first[-4:], second[-4:]) == (" (1)", " (2)")
    assert first[:-4] == second[:-4]


def test_rewards_of_two_attacks_are_not_averaged():
    one = paid(FAST, 0.1, 0.2)
    two = paid(with_settings(FAST, reward={"kind": "model", "flip_ratio": 0.5}), 0.3, 0.8)
    models = [[one, two]]
    assert list(rewarded(models).values()) == list(labels(models).values())
    assert [(found.first, found.last) for found in earned(models, rewarded(models))] == [(0.1, 0.2), (0.3, 0.8)]


def test_rewards_at_first_and_at_last():
    """.1 then .7, and .3 then .9, with harm .9 at the end of both: .2, .8, .9."""
    one, two = paid(FAST, 0.1, 0.5, 0.7), paid(dataclasses.replace(FAST, seed=1), 0.3, 0.9)
    models = [[one], [two, SLOW]]
    assert rewarded(models) == labels([[FAST]])
    (found,) = earned(models, rewarded(models))
    assert told(found) == "0.20 to 0.80; 0.90"


def test_what_one_run_does_not_tell_is_not_known():
    (found,) = earned([[paid(FAST, 0.1)], [FAST]], labels([[FAST]]))
    assert found == Earned()
    assert told(found) == "\N{EN DASH}"
