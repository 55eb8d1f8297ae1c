"""Several sets of categories left out: all are told, the worst decides, and what failed is not passed over."""

from verdict.judged import condition, judged, pair
from verdict.made import BREAKS, DEFENCE, HOLDS, record
from verdict.seeded import curve

KINDS = ("hex", "petard", "snare")


def left_out(name, harm, **more):
    """Both sides of one split: hardened without a category, attacked with it."""
    made = {**DEFENCE, "categories": [kind for kind in KINDS if kind != name]}
    told = {"weights": f"without {name}", "defence": made, **more}
    return [record("undefended", BREAKS, categories=[name]), record("defended", harm, categories=[name], **told)]


def test_every_split_is_told_and_the_worst_decides():
    """Undefended 2 steps each. Held to 10, to 3 and to 5 (broken at 10): at least 5, 1.5 and 2.5 times."""
    found = judged(*pair(), *left_out("hex", HOLDS), *left_out("petard", curve(5)), *left_out("snare", curve(10)))
    told = [(one.left_out, one.low, one.high, one.decides) for one in found.splits]
    # At 10 steps, the last rung, nothing can confirm the break.
    assert told == [(["hex"], 5, None, False), (["petard"], 1.5, 5, True), (["snare"], 2.5, None, False)]
    assert [(one.undefended_harm.value, one.defended_harm.value) for one in found.splits[:2]] == [
        (0.9, 0.1),
        (0.9, 0.9),
    ]
    assert found.left_out == ["petard"]
    status, sentence = condition(found, "generalization")
    assert status == "met"
    assert "the least of 3 such trials" in sentence


def test_a_split_that_failed_leaves_it_open():
    """Two hold; the third could not be hardened. It may have been the worst."""
    unmade = left_out("snare", (), weights="", failed="its model could not be made: out of memory")
    found = judged(*pair(), *left_out("hex", HOLDS), *left_out("petard", HOLDS), *unmade)
    status, sentence = condition(found, "generalization")
    assert status == "inconclusive"
    assert "Nothing is known of the model hardened without snare" in sentence
    assert [one.low for one in found.splits] == [5, 5, None]


def test_a_split_that_is_too_weak_leaves_a_gap():
    """Nothing breaks the undefended model on snare: that says nothing of the defence, so not all is shown to be met."""
    weak = [record("undefended", HOLDS, categories=["snare"]), left_out("snare", HOLDS)[1]]
    assert condition(judged(*pair(), *left_out("hex", HOLDS), *weak), "generalization")[0] == "inconclusive"


def test_all_of_them_failed():
    found = judged(*pair(), *left_out("hex", (), weights="", failed="its model could not be made: out of memory"))
    assert condition(found, "generalization")[0] == "inconclusive"
