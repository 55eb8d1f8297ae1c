"""The shared losses, on numbers that can be checked on paper."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from holdfast.errors import DataError
from holdfast.models.anatomy import Anatomy
from holdfast.training.batches import Tokens
from holdfast.training.terms.losses import cross_entropy, keyed_noise, mmd, targets


class Identity(nn.Module):
    """A head whose logits are its states, and which remembers how many it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[int] = []

    def forward(self, states: Tensor) -> Tensor:
        self.rows.append(len(states))
        return states


def decoder(head: Any, *weights: nn.Parameter) -> Anatomy:
    nothing = nn.Identity()
    return Anatomy(trunk=nothing, blocks=[nothing], mlps=[nothing], norm=nothing, head=head, head_parameters=weights)


def tokens(ids: Sequence[Sequence[int]], answer: Sequence[Sequence[int]]) -> Tokens:
    return Tokens(
        input_ids=torch.tensor(ids),
        attention_mask=torch.ones(len(ids), len(ids[0]), dtype=torch.long),
        answer_mask=torch.tensor(answer, dtype=torch.bool),
        keys=torch.arange(len(ids)),
    )


def test_targets_stand_one_before_the_answer() -> None:
    wanted = targets(tokens([[7, 4, 5, 6], [7, 8, 9, 0]], [[0, 1, 1, 1], [0, 0, 1, 0]]))
    assert wanted.at.tolist() == [[True, True, True, False], [False, True, False, False]]
    assert wanted.labels.tolist() == [4, 5, 6, 9]
    # A mean over 2 rows of means over 3 tokens and over 1.
    assert wanted.weights.tolist() == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2])


def test_cross_entropy_is_a_mean_over_rows_of_means_over_tokens() -> None:
    """Row 1 has tokens of probability 1/2 and 1/4, row 2 one of 1/8.

    ((ln 2 + ln 4) / 2 + ln 8) / 2 = (1.5 + 3) / 2 ln 2 = 2.25 ln 2
    """
    chances = [
        [[1 / 2, 1 / 2, 0, 0], [1 / 4, 0, 0, 3 / 4], [1, 0, 0, 0]],
        [[1, 0, 0, 0], [0, 1 / 8, 7 / 8, 0], [1, 0, 0, 0]],
    ]
    batch = tokens([[0, 1, 0], [3, 3, 1]], [[0, 1, 1], [0, 0, 1]])
    states = torch.tensor(chances).clamp(min=1e-20).log()
    assert cross_entropy(decoder(Identity()), states, targets(batch)).item() == pytest.approx(2.25 * math.log(2))


def test_ceiling_is_what_guessing_gives() -> None:
    """Of 2 words, one of probability 1/4 costs ln 4 > ln 2: it counts ln 2 and has no gradient; one of 3/4 has both."""
    states = torch.tensor([[[1 / 4, 3 / 4], [1 / 4, 3 / 4], [1.0, 1.0]]]).log().requires_grad_()
    wanted = targets(tokens([[0, 0, 1]], [[0, 1, 1]]))
    loss = cross_entropy(decoder(Identity()), states, wanted, ceiling=math.log(2))
    assert loss.item() == pytest.approx((math.log(2) + math.log(4 / 3)) / 2)
    (gradient,) = torch.autograd.grad(loss, states)
    assert gradient[0, 0].tolist() == [0, 0]
    # (softmax - one-hot) / 2 tokens
    assert gradient[0, 1].tolist() == pytest.approx([1 / 8, -1 / 8])


def test_mmd_on_paper() -> None:
    """Points 0, 2 against 1, 3. Squared distances: 4 within each sample; 1, 9, 1, 1 between them.

    The mean over the 12 ordered pairs of distinct points is (2 * 4 + 2 * 4 + 2 * 12) / 12 = 10 / 3.
    One kernel of that width, unbiased: exp(-1.2) + exp(-1.2) - 2 (3 exp(-0.3) + exp(-2.7)) / 4.
    """
    value = mmd(torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [3.0]]), kernels=1)
    assert value.item() == pytest.approx(2 * math.exp(-1.2) - (3 * math.exp(-0.3) + math.exp(-2.7)) / 2, abs=1e-6)


def brute_force(x: Tensor, y: Tensor) -> Tensor:
    both = torch.cat([x, y])
    d2 = (both[:, None] - both[None]).square().sum(2)
    width = d2.detach().sum() / (len(both) * (len(both) - 1)) / 4
    total = torch.zeros(())
    for power in range(5):
        kernel = torch.exp(-d2 / (width * 2**power))
        xx, yy, xy = kernel[: len(x), : len(x)], kernel[len(x) :, len(x) :], kernel[: len(x), len(x) :]
        within = [(part.sum() - part.diagonal().sum()) / (len(part) * (len(part) - 1)) for part in (xx, yy)]
        total = total + within[0] + within[1] - 2 * xy.mean()
    return total


def test_mmd_matches_brute_force_with_its_gradient() -> None:
    torch.manual_seed(0)
    x, y = torch.randn(5, 3, requires_grad=True), 1 + torch.randn(4, 3, requires_grad=True)
    torch.testing.assert_close(mmd(x, y), brute_force(x, y))
    for got, expected in zip(
        torch.autograd.grad(mmd(x, y), (x, y)), torch.autograd.grad(brute_force(x, y), (x, y)), strict=True
    ):
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-6)


def test_mmd_leaves_out_the_diagonal() -> None:
    """Unbiased: two samples of one distribution are 0 apart on average. With the diagonal it would be 5 (1/n + 1/m)."""
    torch.manual_seed(0)
    values = torch.stack([mmd(torch.randn(4, 3), torch.randn(4, 3)) for _ in range(400)])
    assert abs(values.mean()) < 4 * values.std() / 20
    assert values.mean() < 0.1 * 5 * (1 / 4 + 1 / 4)


def test_mmd_uses_gram_matrices() -> None:
    """20 points of width 50: nothing larger than 20 x 50 is ever made, where all differences would be 20 x 20 x 50."""
    largest = 0

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            nonlocal largest
            result = func(*args, **(kwargs or {}))
            if isinstance(result, Tensor):
                largest = max(largest, result.numel())
            return result

    x, y = torch.randn(20, 50, requires_grad=True), torch.randn(20, 50)
    with Watch():
        mmd(x, y).backward()
    assert largest == 20 * 50


def test_mmd_of_equal_points_is_finite_and_of_one_point_an_error() -> None:
    x = torch.zeros(3, 2, requires_grad=True)
    value = mmd(x, torch.zeros(3, 2))
    assert value.item() == 0
    assert torch.autograd.grad(value, x)[0].tolist() == [[0, 0]] * 3
    with pytest.raises(DataError, match="two points"):
        mmd(torch.zeros(1, 2), torch.zeros(1, 2))


def test_noise_is_keyed() -> None:
    """By seed, step, sample and layer: not by the order of the batch, and not by the global RNG."""
    state = torch.get_rng_state()
    settings: dict[str, int] = {"layer": 1, "step": 2, "seed": 3}
    first = keyed_noise(torch.tensor([4, 5]), [2, 3], 64, **settings)
    second = keyed_noise(torch.tensor([5, 4]), [3, 2], 64, **settings)
    torch.testing.assert_close(first, torch.cat([second[3:], second[:3]]), rtol=0, atol=0)
    for name in settings:
        assert not torch.equal(first, keyed_noise(torch.tensor([4, 5]), [2, 3], 64, **settings | {name: 9}))
    assert torch.equal(state, torch.get_rng_state())
    many = keyed_noise(torch.tensor([7]), [1000], 64, **settings)
    assert abs(many.mean()) < 5 / math.sqrt(64_000)
    assert many.std().item() == pytest.approx(1, abs=0.02)
