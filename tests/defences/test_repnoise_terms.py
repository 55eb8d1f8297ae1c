"""RepNoise's terms: their names, weights, noise and precision."""

import dataclasses
import inspect
from typing import Any

import pytest
import torch
from paired_batches import make_batch

from holdfast.defences.repnoise import RepNoise
from holdfast.errors import ConfigError
from holdfast.interfaces import Progress
from holdfast.models.tiny import tiny
from holdfast.training.batches import Batch, Tokens

NOW = Progress(3, 10)
RETAIN = ((10, 11, 3), (12, 3))


@pytest.fixture
def network() -> Any:
    return tiny("tiny-llama").network


def values(network: Any, batch: Batch, **fields: Any) -> dict[str, float]:
    terms = RepNoise(**{"variant": "corrected", **fields}).loss(network, batch, NOW)
    return {name: term.item() for name, term in terms.items()}


def test_every_term_is_named(network: Any) -> None:
    batch = make_batch(retain=RETAIN)
    weights = {"noise_weight": 1.0, "ascent_weight": 1.0, "retain_weight": 1.0}
    assert list(values(network, batch, **weights)) == ["refusal", "retain", "noise", "ascent"]
    released = values(network, batch, variant="released", noise_weight=1.0, ascent_weight=1.0)
    assert list(released) == ["refusal", "noise", "ascent"]
    # A weight of 0 leaves its term out, and its forward pass with it.
    assert list(values(network, batch, **dict.fromkeys(weights, 0.0))) == ["refusal"]


def test_weights_have_unambiguous_names(network: Any) -> None:
    """No alpha, no beta, which the paper itself mixes up; each weight scales its own term alone."""
    names = {field.name for field in dataclasses.fields(RepNoise)}
    assert not {name for name in names if "alpha" in name or "beta" in name}
    batch = make_batch(retain=RETAIN)
    ones = {"noise_weight": 1.0, "ascent_weight": 1.0, "retain_weight": 1.0}
    before = values(network, batch, **ones)
    for weight, term in (("noise_weight", "noise"), ("ascent_weight", "ascent"), ("retain_weight", "retain")):
        after = values(network, batch, **ones | {weight: 3.0})
        assert after == pytest.approx(before | {term: 3 * before[term]}), weight
    assert before["ascent"] < 0 < before["refusal"]
    with pytest.raises(ConfigError, match="noise_weight"):
        RepNoise(noise_weight=-1.0)


def test_retain_term(network: Any) -> None:
    """The model's own cross-entropy on harmless exchanges; none without such data."""
    batch = make_batch(retain=((10, 11, 3), (12, 13, 3)))
    tokens = batch["retain"]
    labels = tokens.input_ids.masked_fill(~tokens.answer_mask, -100)
    with torch.no_grad():
        own = network(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask, labels=labels).loss
    assert values(network, batch, retain_weight=0.5)["retain"] == pytest.approx(0.5 * own.item())
    assert "retain" not in values(network, make_batch(), retain_weight=0.5)


def test_log_ascent(network: Any) -> None:
    plain = values(network, make_batch(), ascent_weight=2.0, log_ascent=False)["ascent"]
    logged = values(network, make_batch(), ascent_weight=2.0, log_ascent=True)["ascent"]
    assert logged == pytest.approx(-2 * torch.tensor(1 - plain / 2).log().item())


def test_layerwise_ascent_is_the_mean_over_layers(network: Any) -> None:
    batch, fields = make_batch(), {"ascent_weight": 1.0, "log_ascent": False}
    each = [values(network, batch, layers=(layer,), **fields)["ascent"] for layer in range(3)]
    assert len(set(each)) == 3
    assert values(network, batch, layers=None, **fields)["ascent"] == pytest.approx(sum(each) / 3)
    assert values(network, batch, layers=(0, 2), **fields)["ascent"] == pytest.approx((each[0] + each[2]) / 2)


def test_a_sample_of_the_layers_is_unbiased(network: Any) -> None:
    """Two of three layers a step, drawn anew: the mean over many steps is the mean over all three."""
    batch, fields = make_batch(), {"ascent_weight": 1.0, "log_ascent": False, "noise_weight": 0.0}
    each = [values(network, batch, layers=(layer,), **fields)["ascent"] for layer in range(3)]
    pairs = {round((each[a] + each[b]) / 2, 4) for a, b in ((0, 1), (0, 2), (1, 2))}
    some = RepNoise(ascent_layers_per_step=2, **fields)
    with torch.no_grad():
        drawn = [some.loss(network, batch, Progress(step, 300))["ascent"].item() for step in range(300)]
    assert {round(value, 4) for value in drawn} == pairs
    spread = torch.tensor(drawn).std().item()
    assert sum(drawn) / 300 == pytest.approx(sum(each) / 3, abs=3 * spread / 300**0.5)
    # Of a step always the same, so that its micro-batches agree; as many as there are, or more, are all.
    assert some.loss(network, batch, NOW)["ascent"] == some.loss(network, batch, NOW)["ascent"]
    assert values(network, batch, ascent_layers_per_step=5, **fields) == values(network, batch, **fields)


def test_one_forward_pass(network: Any) -> None:
    """All roles go through the trunk together, whatever each is padded to."""
    seen: list[tuple[int, ...]] = []
    network.model.register_forward_pre_hook(
        lambda _, __, given: seen.append(tuple(given["input_ids"].shape)), with_kwargs=True
    )
    values(network, make_batch(retain=RETAIN))
    assert seen == [(6, 9)]


@pytest.mark.parametrize("noised", ["mlp", "residual"])
@pytest.mark.parametrize("sample", ["token", "sequence"])
def test_noise_does_not_depend_on_order_or_padding(network: Any, noised: str, sample: str) -> None:
    batch, fields = make_batch(), {"noised": noised, "sample": sample, "noise_weight": 1.0}
    turned = {
        role: Tokens(**{name: tensor.flip(0) for name, tensor in vars(tokens).items()})
        for role, tokens in batch.items()
    }
    state = torch.get_rng_state()
    expected = values(network, batch, **fields)
    assert values(network, turned, **fields) == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert values(network, make_batch(width=14, pad=5), **fields) == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert torch.equal(state, torch.get_rng_state())
    later = RepNoise(**fields).loss(network, batch, Progress(4, 10))
    assert later["noise"].item() != expected["noise"]


def test_noise_reaches_its_own_layers_alone(network: Any) -> None:
    RepNoise(layers=(1,), noised="mlp", ascent_weight=0).loss(network, make_batch(), NOW)["noise"].backward()
    moved = {name for name, weight in network.named_parameters() if weight.grad is not None and weight.grad.norm() > 0}
    assert "model.layers.1.mlp.down_proj.weight" in moved
    assert "model.layers.0.mlp.down_proj.weight" in moved
    assert not {name for name in moved if "layers.2" in name or "lm_head" in name}


def test_gradient_of_the_noise_brings_the_states_nearer_to_it(network: Any) -> None:
    batch, method = make_batch(), RepNoise(noise_weight=1.0, ascent_weight=0, retain_weight=0)
    optimiser = torch.optim.SGD(network.parameters(), lr=1e-3)
    first = method.loss(network, batch, NOW)["noise"]
    first.backward()
    optimiser.step()
    assert method.loss(network, batch, NOW)["noise"] < first


def test_bfloat16_stays_bfloat16(network: Any) -> None:
    """Neither states nor gradients are raised to float32: the release's float mask raised all logits."""
    network.to(torch.bfloat16)
    types: set[torch.dtype] = set()
    for part in network.modules():
        if not list(part.children()) and "rotary" not in type(part).__name__.lower():
            part.register_forward_hook(lambda _, __, output: types.add(output.dtype))
    terms = RepNoise(variant="corrected", noise_weight=1.0, ascent_weight=1.0).loss(network, make_batch(), NOW)
    assert types == {torch.bfloat16}
    torch.stack(list(terms.values())).sum().backward()
    assert {weight.grad.dtype for weight in network.parameters()} == {torch.bfloat16}
    exact = values(tiny("tiny-llama").network, make_batch(), noise_weight=1.0, ascent_weight=1.0)
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(exact, rel=0.05)


def test_documentation_names_paper_and_weights() -> None:
    module = inspect.getmodule(RepNoise)
    assert module is not None
    assert "2405.14577" in (module.__doc__ or "")
    assert "Naming" in (module.__doc__ or "")
