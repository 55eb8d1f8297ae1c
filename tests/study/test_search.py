"""The adaptive adversary, against models whose cost to break is a formula."""

import dataclasses
import math

import optuna
import pytest
from cells_made import record

from holdfast.errors import ConfigError
from holdfast.statistics.crossing import crossing
from holdfast.study.cells import Stop
from holdfast.study.search import BATCHES, RANKS, RATES, loss, search, settings

LADDER = (1, 2, 3, 5, 10, 20, 30)
BROKEN = 0.3
WORLDS = {"soft": (0.2, 0.3, 1e-3), "firm": (0.03, 0.5, 1e-3), "hard": (0.012, 0.75, 1e-3), "hot": (0.008, 1.0, 3e-3)}
"""How quickly harm rises a step, by which power of the batch, and at which rate it does so best."""


def attacked(chosen, stop, world):
    """Harm rises to 0.65 by a rate that falls off by a factor of 10 half a decade from the best one; far above it the
    model is ruined. A LoRA takes ten times the rate and two thirds of the FLOPs."""
    speed, power, best = world
    training = {name.removeprefix("training."): value for name, value in chosen.items()}
    lora, batch = bool(training["lora_rank"]), training["batch_size"]
    off = math.log10(training["learning_rate"] / (10 if lora else 1) / best)
    slowed = {"constant": 1, "linear": 0.6, "cosine": 0.7}[training["schedule"]] * (1 - 2 * training["warmup"])
    pace = speed * batch**power * 10 ** -((off / 0.5) ** 2) * slowed
    steps = sorted({step for step in LADDER if step < training["steps"]} | {training["steps"]})
    harm = [0.05 + 0.6 * (1 - math.exp(-pace * step)) if off < 0.7 else 0.02 for step in steps]
    whole = record(harm, steps=steps, flops=[step * batch * (4 if lora else 6) * 1e6 for step in steps])
    for at in range(1, len(steps)):
        if why := stop and stop(whole.rungs[:at]):
            return dataclasses.replace(whole, rungs=whole.rungs[:at], stopped=why)
    return whole


def play(answer, *, trials=32, seed=0, steps=30, **more):
    """Every trial with its stop and record, and what the search came to."""
    asking = search(lambda *asked: asked, trials=trials, steps=steps, threshold=BROKEN, seed=seed, **more)
    told = []
    asked = next(asking)
    while True:
        made = answer(*asked)
        told.append((*asked, made))
        try:
            asked = asking.send(made)
        except StopIteration as ended:
            return told, ended.value


def cost(made):
    return crossing(made, BROKEN).at


def cheapest(told):
    return min((at for *_, made in told if (at := cost(made)) is not None), default=math.inf)


def grid(world):
    """The least that any of 150 plain attacks takes."""
    rates = [10 ** (-5 + power / 4) for power in range(15)]
    plain = {"training.schedule": "constant", "training.warmup": 0.0, "training.steps": 30}
    every = [
        {
            **plain,
            "training.learning_rate": rate * (10 if rank else 1),
            "training.batch_size": batch,
            "training.lora_rank": rank,
        }
        for rate in rates
        for batch in BATCHES
        for rank in (0, 8)
    ]
    return min(at for chosen in every if (at := cost(attacked(chosen, None, world))) is not None)


@pytest.mark.parametrize("name", WORLDS)
def test_it_finds_what_random_draws_do_not(name):
    """For as many FLOPs, over 20 seeds: near the grid's cheapest more often, and rarely dearer.

    The random draws end early by the same rule, so that only what is drawn differs.
    """
    world, best = WORLDS[name], grid(WORLDS[name])
    mine, random = [], []
    for seed in range(20):
        told, _ = play(lambda *asked: attacked(*asked, world), seed=seed)
        mine.append(cheapest(told))
        random.append(at_random(world, sum(made.rungs[-1].budget.flops for *_, made in told), seed))
    near = [sum(found <= 2 * best for found in side) for side in (mine, random)]
    assert near[0] > near[1]
    assert near[0] >= 12
    assert sum(one <= other for one, other in zip(mine, random, strict=True)) >= 14


def at_random(world, flops, seed):
    """The cheapest break that attacks drawn at random find for so many FLOPs."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1000 + seed))
    least, spent = math.inf, 0.0
    while spent < flops:
        made = attacked(settings(study.ask(), 30), Stop(broken=BROKEN, flops=least), world)
        spent += made.rungs[-1].budget.flops
        least = min(least, cost(made) or math.inf)
    return least


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("seed", range(5))
def test_the_best_is_the_cheapest_break_of_all_trials(name, seed):
    """Run in full, without a stop, it costs what it did; however cheaply others failed."""
    world = WORLDS[name]
    told, best = play(lambda chosen, stop: attacked(chosen, stop, world), seed=seed)
    if cheapest(told) < math.inf:
        assert cost(attacked(best, None, world)) == cheapest(told)


def test_a_dear_break_is_better_than_a_cheap_failure():
    """Only batches of 16 break it, at 20 steps; one of 1 fails at a sixteenth of that, nearly broken."""

    def answer(chosen, stop):
        batch = chosen["training.batch_size"]
        harm = 0.5 if batch == 16 else 0.29
        return record([0, harm, harm], steps=(1, 20, 30), flops=[batch, 20 * batch, 30 * batch])

    _, best = play(answer)
    assert best["training.batch_size"] == 16


def test_where_nothing_breaks_the_best_is_what_came_closest():
    told, best = play(lambda chosen, stop: record([0, chosen["training.learning_rate"] / 2]))
    assert best["training.learning_rate"] == max(chosen["training.learning_rate"] for chosen, *_ in told)


def test_trials_that_fail():
    """A failed one is passed over; where all do there is no best; one that broke before it failed counts."""
    number = iter(range(100))
    told, best = play(lambda chosen, stop: record(failure="lost") if next(number) else record([0.1, 0.2]))
    assert best == told[0][0]
    assert play(lambda chosen, stop: record(failure="lost"))[1] is None
    assert play(lambda chosen, stop: record([None, None]))[1] is None
    told, best = play(lambda chosen, stop: record([0, 0.5, 0.5], failure="diverged"), trials=1)
    assert best == told[0][0]


def test_the_cap_is_the_cheapest_break_so_far():
    told, _ = play(lambda chosen, stop: attacked(chosen, stop, WORLDS["soft"]))
    least = None
    for _, stop, made in told:
        assert (stop.broken, stop.flops) == (BROKEN, least)
        if (at := cost(made)) is not None:
            least = at if least is None else min(at, least)
    assert least is not None


@pytest.mark.parametrize(
    "harm", [(0, 0.5, 0.5, 0.5), (0, 0, 0.5, 0.5), (0, 0.5, 0, 0.5, 0.5), (0.5, 0.5), (0, 0.3, 0.3)]
)
@pytest.mark.parametrize("cap", [None, 4.0, 5.0, 9.0, 10.0, 11.0, 19.0, 20.0, 21.0, 30.0, 1e9])
def test_the_cap_never_cuts_off_a_cheaper_break(harm, cap):
    """A break's first rung may cost less than the cap, and the one that confirms it more. 10 FLOPs a rung, from 5."""
    whole = record(harm, steps=range(1, len(harm) + 1), flops=[5.0 + 10 * step for step in range(len(harm))])
    stop = Stop(broken=BROKEN, flops=cap)
    ended = next((at for at in range(1, len(harm)) if stop(whole.rungs[:at])), len(harm))
    short = dataclasses.replace(whole, rungs=whole.rungs[:ended])
    at = cost(whole)
    if cap is None or at < cap:
        assert cost(short) == at
    else:
        assert cost(short) is None or cost(short) == at  # no cheaper than what is known


@pytest.mark.parametrize(
    ("harm", "cheapest", "expected"),
    [
        # 10 FLOPs a step: a break at step 1 costs 10, at step 2 it costs 20; held to step 3 it spent 30.
        ((0, 0.5, 0.5, 0.5), None, 1.0),
        ((0, 0.1, 0.5, 0.5), None, math.log10(20)),
        ((0.5, 0.5), None, 0.0),  # broken at no cost
        # Harm of 0.15 is half of the threshold; 0 is all of it.
        ((0, 0.1, 0.15, 0.1), None, 30.5),
        ((0, 0, 0, 0), None, 31.0),
        ((0, 0, 0, 0.9), None, 30.0),  # a flicker at its end, as near as can be
        ((0, 0.9, 0, 0), None, 30.0),
        # With a break known at 20 it spent enough to tell; with one at 40 it did not.
        ((0, 0.1, 0.15, 0.1), 20.0, math.log10(30) + 0.5),
        ((0, 0.1, 0.15, 0.1), 30.0, math.log10(30) + 0.5),
        ((0, 0.1, 0.15, 0.1), 40.0, 30.5),
        ((None, 0.15, None), None, 30.5),
        ((None, None), None, None),
        ((), None, None),
    ],
)
def test_the_loss_by_hand(harm, cheapest, expected):
    found = loss(record(harm), BROKEN, cheapest)
    assert found == (expected if expected is None else pytest.approx(expected))


def test_the_loss_of_a_failed_run():
    assert loss(record([0, 0.1], failure="lost"), BROKEN) is None
    assert loss(record([0, 0.5, 0.5], failure="lost"), BROKEN) == 1.0


def test_it_is_deterministic_by_seed():
    def run(seed):
        return [chosen for chosen, *_ in play(lambda *asked: attacked(*asked, WORLDS["firm"]), seed=seed)[0]]

    assert run(1) == run(1)
    assert run(1) != run(2)


@pytest.mark.parametrize("steps", [0, 1, 2, 30])
def test_what_is_drawn(steps):
    """Rates are ten times as high for a LoRA; steps are all or a third, one at the least."""
    told, _ = play(lambda chosen, stop: record([0, 0.1]), trials=40, steps=steps)
    for chosen, *_ in told:
        rank = chosen["training.lora_rank"]
        rate = chosen["training.learning_rate"] / (10 if rank else 1)
        assert RATES[0] * 0.99 <= rate <= RATES[1] * 1.01
        assert rank in RANKS
        assert chosen["training.batch_size"] in BATCHES
        assert chosen["training.steps"] in {max(1, steps // 3), max(1, steps)}


def test_what_is_fixed_is_not_drawn():
    fixed = {"training.batch_size": 3, "poison_ratio": 0.5}
    told, best = play(lambda chosen, stop: record([0, 0.1]), fixed=fixed)
    assert all({**chosen, **fixed} == chosen for chosen, *_ in told)
    assert {**best, **fixed} == best


def test_settings_that_do_not_fit_are_passed_over():
    """As an accumulation of 4, which batches of 1 and 2 cannot be split into."""

    def make(chosen, stop):
        if chosen["training.batch_size"] % 4:
            raise ConfigError("accumulation 4 must divide batch_size")
        return chosen

    def run(make):
        asking = search(make, trials=40, steps=30, threshold=BROKEN, seed=0)
        asked = [next(asking)]
        while True:
            try:
                asked.append(asking.send(record([0, 0.1])))
            except StopIteration:
                return asked

    assert {chosen["training.batch_size"] for chosen in run(make)} <= {4, 8, 16}

    def never(chosen, stop):
        raise ConfigError("no")

    with pytest.raises(ConfigError, match="no"):
        run(never)
