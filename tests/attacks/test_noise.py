"""Weight jitter: of the size that is said, and of the seed."""

import copy

import pytest
import torch

from holdfast.attacks.noise import Noise
from holdfast.interfaces import View
from holdfast.models.tiny import tiny
from holdfast.training.run import apply
from small import TEXTS


@pytest.mark.parametrize("name", ["tiny-llama", "tiny-mixtral"])
def test_the_noise_is_so_large(name: str, view: View) -> None:
    """A fifth of each matrix's own deviation, give or take what 1,000 and more draws leave open; of each expert's."""
    model = tiny(name, texts=TEXTS)
    with torch.no_grad():
        for weight in model.network.parameters():
            if weight.ndim == 3:
                weight[0].mul_(100)
    before = copy.deepcopy(dict(model.network.named_parameters()))
    apply(Noise(sigma=0.2), model, view, seed=0)
    for path, weight in model.network.named_parameters():
        change = (weight - before[path]).detach()
        if weight.ndim < 2:
            assert not change.any()
        else:
            ratio = change.std(dim=(-2, -1)) / before[path].std(dim=(-2, -1))
            torch.testing.assert_close(ratio, torch.full_like(ratio, 0.2), rtol=0.3, atol=0)


def test_the_seed_draws_it(view: View) -> None:
    words = []
    for seed in (0, 0, 1):
        model = apply(Noise(), tiny(texts=TEXTS), view, seed=seed)
        words.append(model.network.get_input_embeddings().weight)
    assert torch.equal(words[0], words[1])
    assert not torch.equal(words[0], words[2])


def test_no_noise_changes_nothing(view: View) -> None:
    model = tiny(texts=TEXTS)
    before = copy.deepcopy(dict(model.network.named_parameters()))
    apply(Noise(sigma=0.0), model, view, seed=0)
    assert all(torch.equal(weight, before[path]) for path, weight in model.network.named_parameters())
