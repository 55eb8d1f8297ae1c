"""Reading states through the head: the gradient made in pieces is the gradient of the whole."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from holdfast.models.anatomy import Anatomy
from holdfast.training.terms import head as room
from holdfast.training.terms.head import eager, head_loss


def decoder(head: nn.Module, shaping: Any = None) -> Anatomy:
    """A decoder that is nothing but its head."""
    nothing = nn.Identity()
    return Anatomy(
        trunk=nothing,
        blocks=[nothing],
        mlps=[nothing],
        norm=nothing,
        head=head if shaping is None else lambda states: shaping(head(states)),
        head_parameters=tuple(head.parameters()),
        linear=head,
        shaping=shaping,
    )


def capped(logits: Tensor) -> Tensor:
    """As Gemma 2 and Cohere have it: scaled up, then held below 2."""
    return torch.tanh(1.5 * logits / 2) * 2


def sample(bias: bool = False) -> tuple[nn.Linear, Tensor, Tensor, Tensor]:
    """A head of 6 words and width 3, 7 states, their words, and weights that differ."""
    torch.manual_seed(0)
    return nn.Linear(3, 6, bias=bias), torch.randn(7, 3), torch.randint(0, 6, (7,)), torch.rand(7)


def plainly(parts: Anatomy, points: Tensor, labels: Tensor, weights: Tensor, ceiling: float | None = None) -> Tensor:
    """The definition: all logits, autograd, no pieces."""
    nll = functional.cross_entropy(parts.head(points), labels, reduction="none")
    return ((nll if ceiling is None else nll.clamp(max=ceiling)) * weights).sum()


@pytest.mark.parametrize("bias", [False, True], ids=["by hand", "by autograd"])
@pytest.mark.parametrize("shaping", [None, capped], ids=["plain", "capped"])
@pytest.mark.parametrize("ceiling", [None, 1.8])
@pytest.mark.parametrize("at_once", [2**21, 12], ids=["whole", "in pieces"])
@pytest.mark.parametrize("train_head", [True, False])
def test_value_and_gradient_are_those_of_the_whole(
    bias: bool, shaping: Any, ceiling: float | None, at_once: int, train_head: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LOGITS_AT_ONCE", at_once)  # 12 numbers are 2 rows of 6 words
    linear, states, labels, weights = sample(bias)
    parts, states = decoder(linear, shaping), states.requires_grad_()
    # The states are twice the leaf, and the loss is tripled: what comes before and after counts.
    ours = 3 * head_loss(parts, 2 * states, labels, weights, train_head=train_head, ceiling=ceiling)
    theirs = 3 * plainly(parts, 2 * states, labels, weights, ceiling)
    torch.testing.assert_close(ours, theirs)
    inputs = [states, *linear.parameters()]
    expected = torch.autograd.grad(theirs, inputs)
    got = torch.autograd.grad(ours, inputs, allow_unused=True)
    torch.testing.assert_close(got[0], expected[0])
    for mine, other in zip(got[1:], expected[1:], strict=True):
        if train_head:
            torch.testing.assert_close(mine, other)
        else:
            assert mine is None
    with torch.no_grad():
        torch.testing.assert_close(3 * head_loss(parts, 2 * states, labels, weights, ceiling=ceiling), theirs)


def test_logits_are_made_a_piece_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """8 numbers are 1 row of 6 words; of 48 wide states 6 rows, an eighth, may be read without asking."""
    seen: list[int] = []
    true = functional.linear
    monkeypatch.setattr(functional, "linear", lambda *given: (seen.append(len(given[0])), true(*given))[1])
    monkeypatch.setattr(room, "LOGITS_AT_ONCE", 8)
    linear, states, labels, weights = sample()
    head_loss(decoder(linear), states.requires_grad_(), labels, weights)
    assert seen == [1] * 7
    seen.clear()
    head_loss(decoder(nn.Linear(48, 6, bias=False)), torch.randn(7, 48), labels, weights)
    assert seen == [6, 1]


def test_a_head_that_is_watched_or_changed_is_called() -> None:
    """A hook on the head, as an adapter's or a placement's, is not passed by."""
    linear, states, labels, weights = sample()
    rows: list[int] = []
    linear.register_forward_pre_hook(lambda _, inputs: rows.append(len(inputs[0])))
    head_loss(decoder(linear), states.requires_grad_(), labels, weights)
    assert rows == [7]


def test_a_frozen_head_gets_no_gradient() -> None:
    linear, states, labels, weights = sample()
    linear.requires_grad_(False)
    states.requires_grad_()
    head_loss(decoder(linear), states, labels, weights).backward()
    assert linear.weight.grad is None
    assert states.grad is not None


def test_under_autocast_matrices_are_bfloat16_and_gradients_are_not() -> None:
    linear, states, labels, weights = sample()
    states.requires_grad_()
    exact = torch.autograd.grad(head_loss(decoder(linear), states, labels, weights), [states, linear.weight])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = head_loss(decoder(linear), states, labels, weights)
        expected = (functional.cross_entropy(linear(states).float(), labels, reduction="none") * weights).sum()
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(expected.item())
    rounded = torch.autograd.grad(loss, [states, linear.weight])
    for one, other in zip(rounded, exact, strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one, other, rtol=0.05, atol=0.02)


def test_the_gradient_is_asked_for_once() -> None:
    linear, states, labels, weights = sample()
    loss = head_loss(decoder(linear), states.requires_grad_(), labels, weights)
    loss.backward(retain_graph=True)
    with pytest.raises(AssertionError, match="once"):
        loss.backward()


def test_eager_takes_no_gradient_where_none_is_wanted() -> None:
    with torch.no_grad():
        assert eager(lambda x: iter([x.sum(), x.sum()]), torch.ones(3)).item() == 6
