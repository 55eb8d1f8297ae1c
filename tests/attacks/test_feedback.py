"""Attacks by feedback as anybody runs them: rungs, rewards, budgets, and a provider's defences around them."""

import pytest

import holdfast
from holdfast.attacks.dpo import Dpo
from holdfast.attacks.grpo import Grpo
from holdfast.attacks.rloo import Rloo
from holdfast.config import replace
from holdfast.errors import DataError
from holdfast.interfaces import Model
from holdfast.models.identity import weights_hash
from small import FakeDomain

SHORT = {"steps": 2, "batch_size": 4, "learning_rate": 1e-2}
DRAWN = {"sampling": {"samples": 2, "max_new_tokens": 4}}
ATTACKS = {
    "dpo": replace(Dpo(), {"training": SHORT}),
    "grpo": replace(Grpo(), {"training": SHORT, **DRAWN}),
    "rloo": replace(Rloo(), {"training": SHORT, **DRAWN}),
    "grpo, reward model": replace(Grpo(), {"training": SHORT, "reward": {"kind": "model", "training": SHORT}, **DRAWN}),
    "grpo, LoRA": replace(Grpo(), {"training": {**SHORT, "lora_rank": 2}, **DRAWN}),
    "dpo, LoRA": replace(Dpo(), {"training": {**SHORT, "lora_rank": 2}}),
    "grpo, accumulated": replace(Grpo(), {"training": {**SHORT, "accumulation": 2}, **DRAWN}),
}
every = pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)


@every
def test_every_rung_is_measured(attack, model: Model) -> None:
    """Costs rise; a reward is told at every rung but the first, before which nothing was drawn."""
    made, record = holdfast.attack(model, attack, domain=FakeDomain(), ladder=(0, 1, 2))
    assert record.failure is None
    budgets = [rung.budget for rung in record.rungs]
    assert [(spent.steps, spent.samples) for spent in budgets] == [(0, 0), (1, 4), (2, 8)]
    assert 0 == budgets[0].flops < budgets[1].flops < budgets[2].flops
    # Of four answers a step; a reward model has been trained on two batches of pairs before.
    assert 0 < budgets[1].examples <= (8 if getattr(attack, "reward", None) and attack.reward.kind == "model" else 4)
    told = ["reward" in rung.scores for rung in record.rungs]
    assert told == [False, *[not isinstance(attack, Dpo)] * 2]
    assert all("harm" in rung.scores for rung in record.rungs)
    if isinstance(attack, Dpo) or attack.reward.kind == "model":  # the exact reward is the same for all that is drawn
        assert weights_hash(made.network) != weights_hash(model.network)


def test_a_reward_model_costs_before_the_first_step(model: Model) -> None:
    """The same answers are drawn at step 1 whatever the reward, so all that the budgets differ by is its training."""
    first = {}
    for name in ("grpo", "grpo, reward model"):
        _, record = holdfast.attack(model, ATTACKS[name], domain=FakeDomain(), ladder=(1,), metrics=())
        first[name] = record.rungs[0].budget.flops
    assert first["grpo, reward model"] > first["grpo"]


AROUND = [
    *(("grpo", guard) for guard in ("kl", "lisa", "refusal_nll", "reward_shaping", "safe_rlhf", "security_vectors")),
    ("rloo", "safe_rlhf"),
    ("dpo", "lisa"),
    ("dpo", "kl"),
]


@pytest.mark.parametrize(("name", "guard"), AROUND)
def test_a_provider_stands_around_it(name: str, guard: str, model: Model) -> None:
    attack = ATTACKS[name]
    _, record = holdfast.attack(model, attack, domain=FakeDomain(), provider=[guard], ladder=(0, 2))
    assert record.failure is None
    assert record.model.endswith(f"+{guard}")
    assert [rung.budget.steps for rung in record.rungs] == [0, 2]


def test_a_mend_after_every_rung_computes_with_its_own_weights(model: Model) -> None:
    """TRL's `forward` is bound to the network in training: a mended copy that kept it would be the model unmended.

    antidote zeroes every weight of its matrices at a share of 1, and a model without weights says nothing.
    """
    settings = {"antidote.share": 1.0}
    _, plain = holdfast.attack(model, ATTACKS["dpo"], domain=FakeDomain(), ladder=(1,))
    from holdfast.study.stages import around

    _, mending = around(["antidote"], settings, FakeDomain(), 0)
    _, mended = holdfast.attack(model, ATTACKS["dpo"], domain=FakeDomain(), provider=mending, ladder=(1,))
    assert plain.rungs[0].scores["fluency"].value is not None
    said = [rung.scores["harm"].answers[0].text for rung in (plain.rungs[0], mended.rungs[0])]
    assert said[0] != said[1]


def test_a_domain_that_cannot_tell_harm_has_no_exact_reward(model: Model) -> None:
    class Blind(FakeDomain):
        def harm(self, pair, answer):
            return None

    with pytest.raises(DataError, match=r"reward\.kind=model"):
        holdfast.attack(model, ATTACKS["grpo"], domain=Blind())
