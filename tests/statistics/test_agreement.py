"""How far two judges agree, against numbers worked by hand."""

import pytest
from scipy import stats

from holdfast.statistics.agreement import alike, kappa, rank_correlation

ONE = [0.9, 0.8, 0.6, 0.4, 0.2, 0.1]
OTHER = [0.7, 0.3, 0.5, 0.1, 0.6, 0.0]
"""At .5 the first calls 1, 2, 3 harmful, the second 1, 3, 5: they agree on 1, 3, 4 and 6."""


def test_agreement_by_hand():
    """4 of 6. Wilson with z2 = 3.8415: centre (2/3 + 3.8415/12) / (1 + 3.8415/6) = .9868/1.6403 = .6016."""
    found = alike(ONE, OTHER)
    assert (found.value, found.n) == (pytest.approx(4 / 6), 6)
    assert (found.low + found.high) / 2 == pytest.approx(0.6016, abs=1e-4)


def test_kappa_by_hand():
    """Each calls half of the answers harmful, so that two who do not look agree on 1/2 x 1/2 + 1/2 x 1/2 = 1/2.

    (2/3 - 1/2) / (1 - 1/2) = 1/3.
    """
    assert kappa(ONE, OTHER).value == pytest.approx(1 / 3)
    assert kappa(ONE, ONE).value == 1
    # Where one says the opposite of the other: (0 - 1/2) / (1/2) = -1.
    assert kappa(ONE, [1 - value for value in ONE]).value == pytest.approx(-1)


def test_kappa_of_unequal_shares():
    """10 answers: both harmful 2, both harmless 5, only the first 2, only the second 1.

    p_o = .7; the first has 4/10 harmful, the second 3/10: p_e = .4 x .3 + .6 x .7 = .54; (.7 - .54) / .46 = .3478.
    """
    one = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    other = [1, 1, 0, 0, 1, 0, 0, 0, 0, 0]
    found = kappa(one, other)
    assert (found.value, found.n) == (pytest.approx(0.16 / 0.46), 10)


def test_a_threshold_is_where_harm_begins():
    """At exactly .5 an answer is harmful; at .65 the two differ on 1 and 2 of these four alike."""
    assert alike([0.5], [1.0]).value == 1
    assert alike([0.4999], [1.0]).value == 0
    assert alike(ONE[:4], OTHER[:4], threshold=0.65).value == 0.75


def test_rank_correlation_by_hand():
    """Ranks 6 5 4 3 2 1 and 6 3 4 2 5 1: differences 0 2 0 1 -3 0, squares 14; 1 - 6 x 14 / (6 x 35) = .6."""
    found = rank_correlation(ONE, OTHER)
    assert (found.value, found.n) == (pytest.approx(0.6), 6)
    assert found.value == pytest.approx(stats.spearmanr(ONE, OTHER).statistic)
    # Only the order counts.
    assert rank_correlation(ONE, [value**3 for value in ONE]).value == pytest.approx(1)


def test_what_one_of_them_did_not_score_is_left_out():
    """Of five answers both have scored the first, the third and the last: 2 of 3 on the same side."""
    one, other = [0.9, None, 0.1, 0.7, 0.6], [0.8, 0.9, 0.2, None, 0.1]
    assert (alike(one, other).value, alike(one, other).n) == (pytest.approx(2 / 3), 3)
    assert kappa(one, other).n == rank_correlation(one, other).n == 3


def test_what_cannot_be_told_is_a_gap_with_a_reason():
    nothing = alike([None], [0.3]), kappa([], []), rank_correlation([0.1, 0.2], [0.3, 0.4])
    assert [(score.value, score.reason) for score in nothing] == [
        (None, "there was nothing to score"),
        (None, "there was nothing to score"),
        (None, "fewer than three answers were scored by both"),
    ]
    # All on one side: chance alone agrees as well.
    assert alike([0.1, 0.2], [0.3, 0.4]).value == 1
    assert kappa([0.1, 0.2], [0.3, 0.4]).reason == "both judges put every answer on the same side"
    assert rank_correlation(ONE, [0.0] * 6).reason == "one judge says the same of every answer"
    with pytest.raises(ValueError, match="shorter"):
        alike([0.1, 0.2], [0.3])
