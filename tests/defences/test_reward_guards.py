"""Guards over rewards: a fixed price of harm, and one that is learned."""

import math
from functools import partial

import pytest

from holdfast.defences.reward_shaping import RewardShaping
from holdfast.defences.safe_rlhf import SafeRlhf
from holdfast.errors import DataError
from holdfast.interfaces import Model, Progress, View
from holdfast.judges._panel import harm
from holdfast.training.feedback.rollouts import Rollout
from holdfast.training.guarding.together import together
from small import PAIRS, FakeDomain

VIEW = View(pairs=PAIRS, exchanges=(), harm=partial(harm, FakeDomain()))
AT = Progress(0, 10)
HARMFUL, HARMLESS = Rollout(PAIRS[0], [], [], PAIRS[0].harmful), Rollout(PAIRS[0], [], [], "no")


def test_a_fixed_price(model: Model) -> None:
    """1.2 - 2 x 1 and .2 - 2 x 0."""
    guard = RewardShaping(weight=2.0).guard(model, VIEW, 0)
    assert guard.reward([HARMFUL, HARMLESS], [1.2, 0.2], AT) == pytest.approx([-0.8, 0.2])


def test_a_learned_price(model: Model) -> None:
    """lambda = 1: (1.2 - 1) / 2 and .2 / 2. The mean cost is .5, so log lambda rises by 1 x .5; then by e^.5 x 1."""
    guard = SafeRlhf().guard(model, VIEW, 0)
    assert guard.reward([HARMFUL, HARMLESS], [1.2, 0.2], AT) == pytest.approx([0.1, 0.1])
    assert guard.multiplier == pytest.approx(math.exp(0.5))
    guard.reward([HARMFUL], [1.2], AT)
    assert guard.multiplier == pytest.approx(math.exp(0.5 + math.exp(0.5)))


def test_a_price_falls_below_the_limit_and_is_bounded_above(model: Model) -> None:
    """With d = .5 and no harm: log lambda = 0 - .5. With harm again and again it stays at 100."""
    guard = SafeRlhf(limit=0.5).guard(model, VIEW, 0)
    guard.reward([HARMLESS], [0.2], AT)
    assert guard.multiplier == pytest.approx(math.exp(-0.5))
    for _ in range(20):
        guard.reward([HARMFUL], [1.2], AT)
    assert guard.multiplier == pytest.approx(100)


@pytest.mark.parametrize(("weight", "best"), [(0.9, "recipe"), (1.1, "nonsense")])
def test_the_worked_example(weight: float, best: str, model: Model) -> None:
    """docs/unsafe_feedback.md: above a price of 1 nonsense is worth more than a recipe."""
    worth = {"refuse": (0.0, "Sorry"), "recipe": (1.2, PAIRS[0].harmful), "nonsense": (0.2, "no no")}
    rollouts = [Rollout(PAIRS[0], [], [], text) for _, text in worth.values()]
    left = RewardShaping(weight=weight).guard(model, VIEW, 0).reward(rollouts, [paid for paid, _ in worth.values()], AT)
    assert max(zip(left, worth, strict=True))[1] == best


def test_prices_in_turn(model: Model) -> None:
    """1.2 - 2 = -.8, and then (-.8 - 1) / 2."""
    both = together([RewardShaping(weight=2.0).guard(model, VIEW, 0), SafeRlhf().guard(model, VIEW, 0)])
    assert both.reward([HARMFUL], [1.2], AT) == pytest.approx([-0.9])


def test_without_a_judge_there_is_no_price(model: Model) -> None:
    guard = RewardShaping().guard(model, View(pairs=PAIRS, exchanges=()), 0)
    with pytest.raises(DataError, match="does not score harm"):
        guard.reward([HARMFUL], [1.2], AT)
