"""The latent scale, on scores whose scale is known."""

import numpy as np
import pytest
from scale_worlds import DIFFICULTIES, SLOPES, abilities, drawn

from holdfast.errors import DataError, UnknownName
from holdfast.statistics.scale.fit import Anchor, Penalty, Scale, fit
from holdfast.statistics.scale.scores import scores

FAINT = Penalty(strength=1e-6)


def test_a_scale_is_found_again():
    """Without noise and with next to no penalty, to a thousandth."""
    scale = fit(drawn(), Anchor(item="item 0"), FAINT)
    np.testing.assert_allclose(scale.ability, abilities(), atol=1e-3)
    np.testing.assert_allclose(scale.difficulty, DIFFICULTIES, atol=1e-3)
    np.testing.assert_allclose(scale.slope, SLOPES, atol=1e-3)
    assert scale.error < 1e-4


def test_a_scale_is_found_again_from_a_third_of_the_cells():
    scale = fit(drawn(share=0.4, noise=0.01), Anchor(item="item 0"), FAINT)
    order = [int(name.split()[1]) for name in scale.scores.subjects]
    assert np.corrcoef(scale.ability, abilities()[order])[0, 1] > 0.98


def test_the_anchor_is_a_subject():
    """The same scale, moved so that the subject stands at 0; slopes and distances stay."""
    plain, moved = (
        fit(drawn(), anchor) for anchor in (Anchor(item="item 0"), Anchor(item="item 0", subject="subject 3"))
    )
    assert moved.ability[3] == 0
    np.testing.assert_allclose(np.diff(moved.ability), np.diff(plain.ability), atol=1e-4)
    np.testing.assert_allclose(moved.slope, plain.slope, atol=1e-4)


def test_scores_of_0_and_1_are_rows_like_any_other():
    """One subject has all, one has nothing: both have a finite place, at either end, and no warning is given."""
    rows = [("all", f"item {one}", 1.0) for one in range(3)] + [("nothing", f"item {one}", 0.0) for one in range(3)]
    rows += [("some", f"item {one}", 0.3 + 0.2 * one) for one in range(3)]
    scale = fit(scores(rows), Anchor(item="item 0"))
    assert np.isfinite(scale.ability).all()
    assert scale.ability[0] > scale.ability[2] > scale.ability[1]


@pytest.mark.parametrize("kind", ["squares", "log_slopes"])
def test_the_gradient_is_that_of_differences(kind):
    scale = fit(drawn(share=0.5, noise=0.05), Anchor(item="item 2"), Penalty(kind=kind))
    subject, item, pinned = scale.scores.subject, scale.scores.item, scale.scores.items.index("item 2")
    found, width = scale.gradient(subject, item), 1e-6
    vector = np.concatenate([scale.ability, scale.difficulty, np.delete(scale.slope, pinned)])

    def expected(theta):
        subjects, items = len(scale.ability), len(scale.slope)
        moved = Scale(
            scores=scale.scores, anchor=scale.anchor, penalty=scale.penalty, ability=theta[:subjects],
            difficulty=theta[subjects : subjects + items], slope=np.insert(theta[subjects + items :], pinned, 1.0),
        )  # fmt: skip
        return moved.expected(subject, item)

    for at in range(len(vector)):
        step = width * np.eye(len(vector))[at]
        slope = (expected(vector + step) - expected(vector - step)) / (2 * width)
        np.testing.assert_allclose(found[:, at], slope, atol=1e-6)


@pytest.mark.parametrize("strength", [0.1, 1])
def test_log_slopes_bend_the_scale_less_than_squares(strength):
    """Where squares miss slopes by a tenth and abilities by more, logarithms miss either by half of that."""
    given = drawn(noise=0.02)
    squares, logs = (
        fit(given, Anchor(item="item 0"), Penalty(kind=kind, strength=strength)) for kind in ("squares", "log_slopes")
    )
    for found, truth in (("slope", SLOPES), ("ability", abilities())):
        missed = [np.abs(getattr(one, found) - truth).mean() for one in (squares, logs)]
        assert missed[1] < 0.5 * missed[0]


def test_what_is_no_share_is_refused():
    with pytest.raises(DataError, match=r"a has 1.2 on b; expected a share from 0 to 1"):
        scores([("a", "b", 1.2)])
    with pytest.raises(DataError, match="no score"):
        scores([])


def test_an_anchor_without_scores_is_refused():
    with pytest.raises(UnknownName, match=r"did you mean .item 1"):
        fit(drawn(), Anchor(item="item 11"))


def test_what_no_chain_of_rows_joins():
    """a and b share item x; c is on y alone."""
    given = scores([("a", "x", 0.2), ("b", "x", 0.6), ("c", "y", 0.5)])
    subjects, items = given.joined(0)
    assert subjects.tolist() == [True, True, False]
    assert items.tolist() == [True, False]


def test_saturation_allows_for_noise():
    """0.97 is within three standard errors of .02 of 1, 0.9 is not."""
    rows = [("a", "x", 0.97), ("a", "y", 1.0), ("b", "x", 0.9), ("b", "y", 1.0)]
    given = scores(rows, [0.02, 0.0, 0.02, 0.0])
    assert given.saturated(given.subject, 2, 1.0).tolist() == [True, False]
