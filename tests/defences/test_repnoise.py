"""RepNoise, corrected: one test for each defect of the released loss, named after it."""

import dataclasses
import math
from typing import Any

import pytest
import torch
from paired_batches import make_batch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from holdfast.defences.repnoise import RepNoise
from holdfast.errors import ConfigError, DataError, ModelError
from holdfast.interfaces import Progress
from holdfast.models.tiny import tiny
from holdfast.training.batches import Batch, Tokens

NOW = Progress(3, 10)
FULL = RepNoise(
    noise_weight=1.0, ascent_weight=0.5, retain_weight=1.0, variant="corrected", layers=None, noised="mlp",
    sample="token", scaled=True, layerwise_ascent=True, log_ascent=True, bounded=True, mask="answer",
)  # fmt: skip


def defence(**changes: Any) -> RepNoise:
    return dataclasses.replace(FULL, **changes)


@pytest.fixture
def network() -> Any:
    return tiny("tiny-llama").network


def gradients(network: Any, loss: Tensor) -> dict[str, Tensor]:
    network.zero_grad()
    loss.backward()
    return {name: weight.grad.clone() for name, weight in network.named_parameters() if weight.grad is not None}


def total(network: Any, batch: Batch, **changes: Any) -> Tensor:
    return torch.stack(list(defence(**changes).loss(network, batch, NOW).values())).sum()


def own_loss(network: Any, tokens: Tokens) -> float:
    """The model's cross-entropy by its own labels, a mean over rows of means over answer tokens."""
    labels = tokens.input_ids.masked_fill(~tokens.answer_mask, -100)
    rows = zip(tokens.input_ids, tokens.attention_mask, labels, strict=True)
    with torch.no_grad():
        losses = [network(input_ids=i[None], attention_mask=m[None], labels=y[None]).loss for i, m, y in rows]
    return torch.stack(losses).mean().item()


def seen_by_head(network: Any, tokens: Tokens, role: str, batch: Batch) -> Tensor:
    """Gradient of one role's loss at its final states: where it is not zero, something is predicted.

    Harmful rows stand first in the one forward pass, refusals after them.
    """
    kept: list[Tensor] = []

    def keep(_: Any, __: Any, output: Any) -> None:
        output.last_hidden_state.retain_grad()
        kept.append(output.last_hidden_state)

    with_hook = network.model.register_forward_hook(keep)
    defence(noise_weight=0, layerwise_ascent=False, bounded=False).loss(network, batch, NOW)[role].backward()
    with_hook.remove()
    (state,) = kept
    assert state.grad is not None
    count = len(tokens.input_ids)
    assert not state.grad[:-count].any()
    return state.grad[-count:].abs().sum(2) > 0


def test_first_answer_token_has_gradient(network: Any) -> None:
    """Prompts have 3 tokens, so position 2 predicts the first of the answer; the release zeroed its logits."""
    batch = make_batch()
    predicting = seen_by_head(network, batch["refusal"], "refusal", batch)
    assert predicting.int().tolist() == [[0, 0, 1, 1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 1, 1, 1, 0, 0]]


@pytest.mark.parametrize("pad", [0, 21])
def test_pads_are_never_targets(network: Any, pad: int) -> None:
    """Whatever the pad's id, and however much padding there is, the loss is the same."""
    expected = total(network, make_batch(pad=0, width=9))
    torch.testing.assert_close(total(network, make_batch(pad=pad, width=13)), expected)


def test_identical_pair_is_an_error_not_nan(network: Any) -> None:
    batch = make_batch(harmful=((10, 11, 3), (13, 3)), refusal=((10, 11, 3), (17, 3)))
    for mask in ("answer", "differing"):
        with pytest.raises(DataError, match="same tokens"):
            total(network, batch, mask=mask)


def test_no_hook_outlives_a_step(network: Any) -> None:
    total(network, make_batch()).backward()
    with pytest.raises(DataError):  # nor one that fails
        total(network, make_batch(refusal=((10, 11, 12, 3), (13, 14, 3))))
    hooks = [part._forward_hooks | part._forward_pre_hooks | part._backward_hooks for part in network.modules()]
    assert not any(hooks)


def test_token_id_zero_trains(network: Any) -> None:
    """Token 0 inside a refusal is predicted like any other."""
    batch = make_batch(refusal=((15, 0, 3), (0, 18, 3)), pad=21)
    predicting = seen_by_head(network, batch["refusal"], "refusal", batch)
    assert predicting.int().tolist() == [[0, 0, 1, 1, 1, 0, 0, 0, 0]] * 2
    assert defence().loss(network, batch, NOW)["refusal"].item() == pytest.approx(own_loss(network, batch["refusal"]))


def test_works_under_gradient_checkpointing(network: Any) -> None:
    batch = make_batch()
    network.train()
    expected = gradients(network, total(network, batch))
    network.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    got = gradients(network, total(network, batch))
    for name in expected:
        torch.testing.assert_close(got[name], expected[name], msg=name)
    # Re-entrant checkpointing would silently give the noise no gradient.
    network.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": True})
    with pytest.raises(ModelError, match="use_reentrant"):
        total(network, batch)


def test_final_state_is_not_normed_twice(network: Any) -> None:
    """Read through the head, the last layer's loss is the model's own cross-entropy, counted once."""
    batch = make_batch()
    with torch.no_grad():  # with weights of 1, a second norm would change nothing
        network.model.norm.weight.copy_(torch.linspace(0.1, 3, 32))
    for changes in ({"layerwise_ascent": False}, {"layers": (2,)}):
        terms = defence(ascent_weight=0.5, log_ascent=False, bounded=False, **changes).loss(network, batch, NOW)
        assert terms["ascent"].item() == pytest.approx(-0.5 * own_loss(network, batch["harmful"]), rel=1e-5)


def test_chance_matches_still_count(network: Any) -> None:
    """Token 11 stands at one place in both answers: the release took it for prompt. `mask="differing"` still may."""
    batch = make_batch(harmful=((10, 11, 12, 3), (13, 14, 3)), refusal=((15, 11, 3), (17, 18, 3)))
    assert defence(mask="answer")._mask(batch)[:, 3:].int().tolist() == [[1, 1, 1, 1, 0, 0], [1, 1, 1, 0, 0, 0]]
    # The end mark, 3, of the second pair matches too; that of the first, at another place, does not.
    assert defence(mask="differing")._mask(batch)[:, 3:].int().tolist() == [[1, 0, 1, 1, 0, 0], [1, 1, 0, 0, 0, 0]]
    terms = {mask: defence(mask=mask).loss(network, batch, NOW) for mask in ("answer", "differing")}
    assert terms["answer"]["refusal"] == terms["differing"]["refusal"]
    for name in ("noise", "ascent"):
        assert terms["answer"][name] != terms["differing"][name]


def test_unpadded_or_unpaired_lengths(network: Any) -> None:
    """The two members may be padded each to its own length: 7 and 8 here, where the release needs one."""
    wide, narrow = make_batch(width=12), make_batch(width=None)
    assert narrow["harmful"].input_ids.shape != narrow["refusal"].input_ids.shape
    for mask in ("answer", "differing"):
        torch.testing.assert_close(total(network, narrow, mask=mask), total(network, wide, mask=mask))


def test_logits_only_at_answer_tokens(network: Any) -> None:
    """The answers have 7 harmful and 8 refusal tokens; the release made logits of all positions, 5 times."""
    shapes: list[tuple[int, ...]] = []
    network.lm_head.register_forward_pre_hook(lambda _, inputs: shapes.append(tuple(inputs[0].shape)))
    total(network, make_batch())
    assert shapes == [(8, 32), *[(7, 32)] * 3]


def test_noise_follows_activation_scale(network: Any) -> None:
    """Activations a thousand times as large meet noise as much larger, and the distance stays what it was."""
    batch = make_batch()
    changes: dict[str, Any] = {"layers": (0,), "ascent_weight": 0.0}
    before = {scaled: defence(scaled=scaled, **changes).loss(network, batch, NOW)["noise"] for scaled in (True, False)}
    with torch.no_grad():
        network.model.layers[0].mlp.down_proj.weight.mul_(1000)
    after = {scaled: defence(scaled=scaled, **changes).loss(network, batch, NOW)["noise"] for scaled in (True, False)}
    torch.testing.assert_close(after[True], before[True])
    assert after[False].item() != pytest.approx(before[False].item(), rel=0.1)


def test_no_global_device_or_cpu_copy(network: Any) -> None:
    """Every tensor is made where the data is, and none is moved: the default device here can hold no data."""
    batch = make_batch(retain=((10, 3), (11, 3)))
    called: set[str] = set()

    class Watch(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            called.add(getattr(func, "__name__", ""))
            return func(*args, **(kwargs or {}))

    with torch.device("meta"), Watch():
        loss = total(network, batch)
        loss.backward()
    assert "logsumexp" in called  # it does watch
    assert not called & {"cpu", "cuda", "type", "numpy"}
    assert loss.device.type == "cpu"
    assert math.isfinite(loss.item())


def test_ascent_is_bounded(network: Any) -> None:
    """Once a token costs more than guessing, ln V, it is pushed no further: ln V counts, without gradient."""
    batch = make_batch(harmful=((10, 10), (10, 10)))
    only = defence(noise_weight=0, ascent_weight=1.0, log_ascent=False, layerwise_ascent=False)
    with torch.no_grad():  # the head: word 10 is unlikely wherever the model stands
        states = network.model(input_ids=batch["harmful"].input_ids).last_hidden_state[:, 2:4]
        network.lm_head.weight.zero_()[10] = -10 * states.mean((0, 1))
    bounded = only.loss(network, batch, NOW)["ascent"]
    assert bounded.item() == pytest.approx(-math.log(network.config.vocab_size))
    assert all(gradient.norm() == 0 for gradient in gradients(network, bounded).values())
    unbounded = dataclasses.replace(only, bounded=False).loss(network, batch, NOW)["ascent"]
    assert unbounded < 2 * bounded
    assert any(gradient.norm() > 0 for gradient in gradients(network, unbounded).values())


def test_ascent_does_not_move_head_or_norm(network: Any) -> None:
    for layerwise in (True, False):
        moved = gradients(network, defence(layerwise_ascent=layerwise).loss(network, make_batch(), NOW)["ascent"])
        assert "lm_head.weight" not in moved
        assert "model.norm.weight" not in moved
        assert moved["model.layers.0.mlp.up_proj.weight"].norm() > 0
    moved = gradients(network, defence().loss(network, make_batch(), NOW)["refusal"])
    assert {"lm_head.weight", "model.norm.weight"} <= moved.keys()


def test_layers_that_the_model_has_not(network: Any) -> None:
    for layers in ((3,), (-1,)):
        with pytest.raises(ConfigError, match="0 to 2"):
            total(network, make_batch(), layers=layers)
