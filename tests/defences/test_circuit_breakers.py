"""Circuit breakers, on states that can be drawn on paper."""

import copy
import math
from typing import Any

import pytest
import torch
from paired_batches import make_batch

from holdfast.defences.circuit_breakers import CircuitBreakers
from holdfast.errors import ConfigError
from holdfast.interfaces import Model, Progress, View
from holdfast.models.tiny import tiny
from holdfast.training.terms.representations import beside

NOW = Progress(0, 10)
VIEW = View(pairs=(), exchanges=())
RETAIN = ((20, 21), (22, 23))


def plane() -> Model:
    """A model whose blocks add nothing: after each of them every word's state is (2, 0, 0 ...)."""
    model = tiny("tiny-llama")
    for name, weight in model.network.named_parameters():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            torch.nn.init.zeros_(weight)
    put(model.network, 2.0, 0.0)
    return model


def put(network: Any, x: float, y: float) -> None:
    """Every word's state becomes (x, y, 0 ...)."""
    with torch.no_grad():
        embedded = network.get_input_embeddings().weight
        embedded.zero_()
        embedded[:, 0], embedded[:, 1] = x, y


@pytest.mark.parametrize(("step", "reroute", "kept"), [(0, 4.75, 1.0), (9, 2.5, 10.0)])
def test_the_terms_by_hand(step: int, reroute: float, kept: float) -> None:
    """(2, 0) turned by 60 degrees is (1, sqrt 3): cosine 1/2, distance 2.

    Step 0 is the first of 10: t / 2T = 1/20, so 10 x 19/20 x 1/2 = 4.75 and 10 x 1/20 x 2 = 1.
    The last has t / 2T = 1/2: 10 x 1/2 x 1/2 = 2.5 and 10 x 1/2 x 2 = 10.
    """
    model = plane()
    started = CircuitBreakers(reroute_weight=10.0, retain_weight=10.0, nudge=1e-6).start(model, VIEW, 0)
    put(model.network, 1.0, math.sqrt(3))
    terms = started.loss(model.network, make_batch(retain=RETAIN), Progress(step, 10))
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(
        {"reroute": reroute, "refusal": kept, "retain": kept}, rel=1e-5
    )


def test_what_points_the_other_way_is_far_enough() -> None:
    """(-2, 0): cosine -1, which counts 0."""
    model = plane()
    started = CircuitBreakers(nudge=1e-6).start(model, VIEW, 0)
    put(model.network, -2.0, 0.0)
    assert started.loss(model.network, make_batch(), NOW)["reroute"].item() == 0


def test_without_data_or_weight_a_term_is_left_out() -> None:
    model = tiny("tiny-llama")
    assert list(CircuitBreakers().start(model, VIEW, 0).loss(model.network, make_batch(), NOW)) == [
        "reroute",
        "refusal",
    ]
    alone = CircuitBreakers(retain_weight=0.0).start(model, VIEW, 0)
    assert list(alone.loss(model.network, make_batch(retain=RETAIN), NOW)) == ["reroute"]


def test_the_nudge_leaves_the_start() -> None:
    """At the start the cosine is at its maximum of 1: without a nudge its gradient would be rounding alone."""
    model = tiny("tiny-llama")
    batch, norms = make_batch(), []
    for nudge in (0.01, 1e-9):
        started = CircuitBreakers(nudge=nudge, retain_weight=0.0).start(model, VIEW, 0)
        model.network.zero_grad()
        started.loss(model.network, batch, NOW)["reroute"].backward()
        norms.append(torch.nn.utils.get_total_norm([w.grad for w in model.network.parameters() if w.grad is not None]))
    assert norms[0] > 100 * norms[1]


def test_steps_turn_harmful_states_and_the_reference_stays() -> None:
    model = tiny("tiny-llama")
    started = CircuitBreakers().start(model, VIEW, 0)
    before = copy.deepcopy(started.reference.state_dict())
    optimiser = torch.optim.Adam(model.network.parameters(), lr=1e-2)
    values = []
    for _ in range(5):
        terms = started.loss(model.network, make_batch(retain=RETAIN), NOW)
        values.append(terms["reroute"].item())
        optimiser.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        optimiser.step()
    assert values[-1] < 0.9 * values[0]
    assert all(torch.equal(weight, before[name]) for name, weight in started.reference.state_dict().items())
    assert all(weight.requires_grad for weight in model.network.parameters())
    assert not any(weight.requires_grad for weight in started.reference.parameters())


def test_the_state_before_the_answer_is_kept_but_not_turned() -> None:
    """It is the same for both answers: word 8, the last of the first prompt, moves the kept term alone."""
    model = plane()
    started = CircuitBreakers(retain_weight=10.0, nudge=1e-6).start(model, VIEW, 0)
    embedded: Any = model.network.get_input_embeddings()
    with torch.no_grad():
        embedded.weight[8, :2] = torch.tensor([0.0, 2.0])
    terms = started.loss(model.network, make_batch(), Progress(9, 10))
    assert terms["reroute"].item() == pytest.approx(10 / 2 * 1)
    # Row 0: one of four states moved by 2 sqrt 2; row 1, with word 9, none: 10 / 2 x sqrt 8 / 4 / 2.
    assert terms["refusal"].item() == pytest.approx(10 / 2 * math.sqrt(8) / 4 / 2)


def test_the_tokens_that_are_read() -> None:
    """Each word's state is its number: answers alone, or with the last word of the prompt; never padding.

    Four and three tokens weigh 1/8 and 1/6 each; with the leads, five and four, 1/10 and 1/8.
    """
    network: Any = plane().network
    embedded = network.get_input_embeddings().weight
    with torch.no_grad():
        embedded[:, 0] = torch.arange(len(embedded))
    tokens = make_batch(harmful=((10, 11, 12, 3), (13, 14, 3)))["harmful"]
    answers, led = beside(network, network, tokens), beside(network, network, tokens, (0,), lead=True)
    assert answers.now[-1, :, 0].tolist() == answers.before[-1, :, 0].tolist() == [10, 11, 12, 3, 13, 14, 3]
    assert led.now[:, :, 0].tolist() == [[8, 10, 11, 12, 3, 9, 13, 14, 3]]
    assert answers.weights.tolist() == pytest.approx([1 / 8] * 4 + [1 / 6] * 3)
    assert led.weights.tolist() == pytest.approx([1 / 10] * 5 + [1 / 8] * 4)
    assert (answers.lengths, led.lengths) == ((4, 3), (5, 4))
    assert answers.now.requires_grad
    assert not answers.before.requires_grad


def test_linear_in_the_batch() -> None:
    model = tiny("tiny-llama")
    started = CircuitBreakers().start(model, VIEW, 0)
    put(model.network, 1.0, 1.0)
    whole = started.loss(model.network, make_batch(), NOW)
    halves = [
        started.loss(
            model.network,
            {role: type(t)(**{n: p[at : at + 1] for n, p in vars(t).items()}) for role, t in make_batch().items()},
            NOW,
        )
        for at in (0, 1)
    ]
    for name, term in whole.items():
        assert term.item() == pytest.approx(sum(half[name].item() for half in halves) / 2, rel=1e-5)


def test_no_such_block() -> None:
    model = tiny("tiny-llama")
    with pytest.raises(ConfigError, match="numbered 0 to"):
        CircuitBreakers(layers=(99,)).start(model, VIEW, 0).loss(model.network, make_batch(), NOW)
