"""An attack that stops early is the beginning of the whole one, and leaves nothing else behind."""

import json
import random

import numpy as np
import pytest
import torch

from holdfast.models.tiny import tiny
from holdfast.study.cells import Stop
from holdfast.study.experiment import attack
from small import TEXTS

SETTINGS = {"training.steps": 5, "training.batch_size": 2, "training.learning_rate": 1e-2}
LADDER = (0, 1, 2, 3)
KINDS = {
    "constant": {},
    "linear": {"training.schedule": "linear"},
    "cosine with warm-up": {"training.schedule": "cosine", "training.warmup": 0.4},
    "lora": {"training.lora_rank": 2},
    "accumulation": {"training.accumulation": 2},
    "rescaled": {"training.rescale": 1.0},
}


def weights(model):
    return {name: weight.detach().clone() for name, weight in model.network.state_dict().items()}


def equal(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def at(step):
    """Stops at the rung of one step."""
    return lambda rungs: f"at {step}" if rungs[-1].budget.steps == step else None


def run(domain, more=None, *, stop=None, ladder=LADDER, model=None):
    return attack(
        model or tiny(texts=TEXTS),
        "sft",
        {**SETTINGS, **(more or {})},
        domain=domain,
        metrics=["harm"],
        ladder=ladder,
        stop=stop,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_its_rungs_are_the_first_of_the_whole_attacks(domain, kind):
    """Of rungs at 0, 1, 2, 3 and 5 steps, stopped at 2: costs, scores and answers are equal, bit by bit."""
    _, whole = run(domain, KINDS[kind])
    _, short = run(domain, KINDS[kind], stop=at(2))
    assert [rung.budget.steps for rung in whole.rungs] == [0, 1, 2, 3, 5]
    assert short.rungs == whole.rungs[:3]
    assert (short.stopped, whole.stopped) == ("at 2", None)
    assert (short.failure, short.weights, short.attack) == (None, whole.weights, whole.attack)


@pytest.mark.parametrize("kind", ["constant", "accumulation", "rescaled"])
def test_the_model_is_that_of_its_step(domain, kind):
    """At a constant rate, stopped after 2 of 5 steps is a run of 2."""
    short, _ = run(domain, KINDS[kind], stop=at(2))
    two, _ = run(domain, {**KINDS[kind], "training.steps": 2})
    assert equal(weights(short), weights(two))


@pytest.mark.parametrize("kind", ["linear", "cosine with warm-up", "lora"])
def test_the_schedule_is_that_of_the_whole_attack(domain, kind):
    """Stopped after 2 steps it is not a run of 2, whose rate falls sooner; it is the whole one's third rung."""
    short, record = run(domain, KINDS[kind], stop=at(2))
    again, _ = run(domain, KINDS[kind], stop=at(2), ladder=(2,))  # nor do the rungs before it matter
    assert equal(weights(short), weights(again))
    if kind != "lora":
        two, _ = run(domain, {**KINDS[kind], "training.steps": 2})
        assert not equal(weights(short), weights(two))
    assert record.attack["settings"]["training"]["steps"] == 5


@pytest.mark.parametrize("kind", ["constant", "lora"])
def test_at_the_first_rung(domain, kind):
    """Nothing was trained: the model is as it came, an ordinary one."""
    model = tiny(texts=TEXTS)
    before = weights(model)
    short, record = run(domain, KINDS[kind], stop=at(0), model=model)
    assert equal(weights(short), before)
    assert [rung.budget.flops for rung in record.rungs] == [0.0]
    assert not hasattr(short.network, "peft_config")


@pytest.mark.parametrize("step", [0, 2])
def test_nothing_else_is_left_behind(domain, step):
    model = tiny(texts=TEXTS)
    before = weights(model)
    random.seed(1), np.random.seed(2), torch.manual_seed(3)
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    short, _ = run(domain, {"training.freeze_embeddings": True}, stop=at(step), model=model)
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]
    assert torch.equal(torch.get_rng_state(), states[2])
    assert equal(weights(model), before)
    for network in (model.network, short.network):
        assert not network.training
        assert all(weight.requires_grad and weight.grad is None for weight in network.parameters())
        assert network.config.use_cache == tiny().network.config.use_cache
        assert "forward" not in vars(network)


def test_at_its_end_it_was_not_stopped(domain):
    """What came after is known: nothing did. Asked is at every rung but the last."""
    asked = []

    def stop(rungs):
        asked.append([rung.budget.steps for rung in rungs])

    _, record = run(domain, stop=stop)
    assert asked == [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]
    assert record.stopped is None
    assert run(domain, stop=at(5))[1].stopped is None
    free = attack(tiny(texts=TEXTS), "none", domain=domain, metrics=["harm"], stop=at(0))[1]
    assert (len(free.rungs), free.stopped) == (1, None)


def test_a_search_stops_at_the_break(domain):
    """Whatever it says does harm: broken before the first step, which the second rung confirms."""
    domain.harm = lambda pair, answer: 1.0
    _, record = run(domain, stop=Stop(broken=0.3))
    assert [rung.budget.steps for rung in record.rungs] == [0, 1]
    assert record.stopped == "the model was broken"


def test_a_search_stops_at_the_cheapest_break_known(domain):
    """As soon as it has spent that, and no sooner."""
    domain.harm = lambda pair, answer: 0.0
    _, whole = run(domain)
    costs = [rung.budget.flops for rung in whole.rungs]
    for number, cost in enumerate(costs[1:-1], start=1):
        _, record = run(domain, stop=Stop(broken=0.3, flops=cost))
        assert [rung.budget.flops for rung in record.rungs] == costs[: number + 1]
        assert record.stopped == "it had spent as much as the cheapest break that was known"


def test_a_record_says_why(domain):
    """Also once it is read back."""
    _, record = run(domain, stop=at(1))
    again = type(record).from_json(json.dumps(record.to_json()))
    assert again == record
