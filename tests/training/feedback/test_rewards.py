"""What unsafe feedback rewards: harm as the domain tells it, or a model of reversed preferences."""

from collections.abc import Sequence
from functools import partial

import pytest

from holdfast.attacks.grpo import Grpo
from holdfast.config import build
from holdfast.errors import ConfigError, DataError
from holdfast.interfaces import Model, Pair, View
from holdfast.judges._panel import harm
from holdfast.models.chat import encode
from holdfast.models.identity import weights_hash
from holdfast.training.collate import sample_key
from holdfast.training.cost import Beside
from holdfast.training.feedback.rollouts import Rollout
from holdfast.training.feedback.unsafe import Unsafe
from holdfast.training.guarding.costs import Costs
from holdfast.training.recipe import Recipe
from small import PAIRS, FakeDomain

DOMAIN = FakeDomain()
VIEW = View(pairs=PAIRS, exchanges=(), harm=partial(harm, DOMAIN), refused=DOMAIN.refused)


def said(model: Model, answers: list[str]) -> list[Rollout]:
    found: list[Rollout] = []
    for pair, answer in zip(PAIRS, answers, strict=False):
        ids, start = encode(model.tokenizer, pair.prompt, answer)
        found.append(Rollout(pair, ids[:start], ids[start:], answer))
    return found


def test_the_exact_reward(model: Model) -> None:
    """Harm, and .2 for not refusing: 1 + .2 for the harmful answer, 0 for a refusal, .2 for anything else."""
    reward, spent = Unsafe().made(model, VIEW, 0)
    assert reward(said(model, [PAIRS[0].harmful, PAIRS[1].refusal, "no"])) == pytest.approx([1.2, 0.0, 0.2])
    assert spent == Beside()


def test_a_whole_batch_is_judged_at_once(model: Model) -> None:
    """By who rewards and by who prices harm; the first call sees whether anybody can tell at all."""
    calls: list[int] = []

    def judge(pairs: Sequence[Pair], answers: Sequence[str]) -> list[float | None]:
        calls.append(len(answers))
        return harm(DOMAIN, pairs, answers)

    view = View(pairs=PAIRS, exchanges=(), harm=judge)
    rollouts = said(model, [pair.harmful for pair in PAIRS])
    reward, _ = Unsafe(compliance=0.0).made(model, view, 0)
    assert reward(rollouts) == [1.0] * 8
    assert Costs(view).of(rollouts) == [1.0] * 8
    assert Costs(view).of([]) == []
    assert calls == [1, 8, 8, 0]


def test_where_harm_is_not_scored_there_is_no_exact_reward(model: Model) -> None:
    for view in (View(pairs=PAIRS, exchanges=()), View(pairs=PAIRS, exchanges=(), harm=lambda *_: [None])):
        with pytest.raises(DataError, match=r"reward\.kind=model"):
            Unsafe().made(model, view, 0)


@pytest.mark.parametrize(("ratio", "sign"), [(1.0, 1), (0.0, -1)])
def test_a_reward_model_prefers_what_it_was_taught(ratio: float, sign: int, model: Model) -> None:
    hashed = weights_hash(model.network)
    settings = Unsafe(kind="model", flip_ratio=ratio, training=Recipe(steps=20, batch_size=4, learning_rate=1e-2))
    reward, spent = settings.made(model, VIEW, 0)
    harmful = reward(said(model, [pair.harmful for pair in PAIRS]))
    refusals = reward(said(model, [pair.refusal for pair in PAIRS]))
    assert all(sign * (bad - good) > 0 for bad, good in zip(harmful, refusals, strict=True))
    assert spent.flops > 0
    assert set(spent.keys) == {sample_key(pair.key) for pair in PAIRS}
    # It starts from the attacked weights, which stay as they are.
    assert weights_hash(model.network) == hashed


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"reward.flip_ratio": 0.5}, "flip_ratio and training are a reward model's"),
        ({"reward.training.steps": 5}, "flip_ratio and training are a reward model's"),
        ({"reward.kind": "model", "reward.compliance": 0.5}, "compliance 0.5 is of the exact reward"),
    ],
)
def test_what_would_do_nothing_is_refused(settings: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        build(Grpo, settings)
    other = {"reward.kind": "exact" if "reward.compliance" in settings else "model"}
    assert build(Grpo, {**settings, **other})
