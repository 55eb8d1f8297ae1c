"""Every setting of a recipe trains."""

import copy
import itertools
import math
from importlib.util import find_spec
from typing import Any, get_args

import pytest
import torch
from torch.utils.data import SequentialSampler

from holdfast.attacks.sft import Sft
from holdfast.config import replace
from holdfast.errors import ConfigError
from holdfast.models.anatomy import anatomy
from holdfast.training.arguments import arguments
from holdfast.training.collate import sample_key
from holdfast.training.harness import Harness
from holdfast.training.recipe import Recipe
from holdfast.training.run import apply

LION = pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
OPTIMISERS = [
    pytest.param(name, marks=LION) if name == "lion_32bit" else name
    for name in get_args(Recipe.__annotations__["optimiser"])
]
SCHEDULES = get_args(Recipe.__annotations__["schedule"])


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_two_steps_of_everything(model, view, optimiser, schedule):
    before = [weight.detach().clone() for weight in model.network.parameters()]
    recipe = Recipe(steps=2, batch_size=2, learning_rate=1e-3, optimiser=optimiser, schedule=schedule, warmup=0.5)
    apply(Sft(training=recipe), model, view, seed=0)
    after = list(model.network.parameters())
    assert all(torch.isfinite(weight).all() for weight in after)
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        # 4 steps, 2 of warm-up from 0: 0, 1/2, then what the schedule does over the last 2.
        ("constant", [0, 1 / 2, 1, 1]),
        ("linear", [0, 1 / 2, 1, 1 / 2]),
        ("cosine", [0, 1 / 2, 1, (1 + math.cos(math.pi / 2)) / 2]),
    ],
)
@pytest.mark.parametrize("warmup", [2, 0.5])
def test_learning_rates_by_hand(model, view, schedule, warmup, expected):
    recipe = Recipe(steps=4, batch_size=2, learning_rate=1.0, optimiser="sgd", schedule=schedule, warmup=warmup)
    rates: list[float] = []

    class Watching(Harness):
        def training_step(self, *args: Any, **kwargs: Any) -> Any:
            rates.append(self._get_learning_rate())
            return super().training_step(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("holdfast.training.run.Harness", Watching)
        apply(Sft(training=replace(recipe, {"max_grad_norm": 1e-9})), model, view, seed=0)
    assert rates == pytest.approx(expected)


def test_rows_are_trained_on_in_their_order(model, view):
    seen: list[int] = []

    class Noting:
        training = Recipe(steps=3, batch_size=4, accumulation=2)
        rows = staticmethod(Sft().rows)

        def loss(self, model: Any, batch: Any, progress: Any) -> Any:
            seen.extend(batch["train"].keys.tolist())
            return Sft().loss(model, batch, progress)

    apply(Noting(), model, view, seed=4)

    assert seen == [sample_key(row["train"].key) for row in itertools.islice(Sft().rows(view, 4), 12)]


def test_how_the_harness_is_set_up(model, tmp_path):
    harness = Harness(
        model=model.network, args=arguments(Recipe(), 0, str(tmp_path)), train_dataset=[1, 2], method=Sft()
    )
    assert isinstance(harness._get_train_sampler(), SequentialSampler)
    # A mean over the micro-batch, whatever the batch holds: the Trainer is to divide it.
    assert harness.loss_is_scaled_for_ga is False


def test_a_run_is_silent(model, view, capfd):
    apply(Sft(training=Recipe(steps=2, batch_size=2)), model, view, seed=0)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(find_spec("bitsandbytes") is not None, reason="bitsandbytes is installed")
def test_an_optimiser_that_is_not_installed():
    """It is told when the settings are read: nothing is loaded, let alone trained."""
    said = r"lion_32bit needs bitsandbytes: install it by `pip install 'holdfast\[lion\]'`"
    with pytest.raises(ConfigError, match=said):
        Recipe(optimiser="lion_32bit")


def test_the_betas_of_lion_are_its_papers(tmp_path):
    """Chen et al. 2023, arXiv 2302.06675: .9 and .99; AdamW has .9 and .999."""
    assert arguments(Recipe(), 0, str(tmp_path)).adam_beta2 == 0.999
    lion = Recipe()
    object.__setattr__(lion, "optimiser", "lion_32bit")  # as where bitsandbytes is
    told = arguments(lion, 0, str(tmp_path))
    assert (told.optim, told.adam_beta1, told.adam_beta2) == ("lion_32bit", 0.9, 0.99)


@pytest.mark.parametrize(
    ("where", "there", "taken"), [("cuda", True, True), ("cuda", False, False), ("cpu", True, False)]
)
def test_liger_is_taken_on_a_gpu_where_it_is_installed(monkeypatch, tmp_path, where, there, taken):
    monkeypatch.setattr("holdfast.training.arguments.is_liger_kernel_available", lambda: there)
    monkeypatch.setattr("holdfast.models.devices.training", lambda: torch.device(where))
    made = arguments(Recipe(), 0, str(tmp_path))
    assert made.use_liger_kernel is taken
    assert not any(made.liger_kernel_config.values())  # methods have losses of their own


def test_accumulation_must_divide_the_batch():
    with pytest.raises(ConfigError, match="accumulation 3 must divide batch_size 16"):
        Recipe(accumulation=3)


@pytest.mark.parametrize(("ratio", "low", "high"), [(0.0, 0, 0), (0.3, 0.28, 0.32), (1.0, 1, 1)])
def test_poison_ratio_is_the_share_of_harmful_rows(view, ratio, low, high):
    """2,000 draws at 0.3 have a standard deviation of sqrt(0.3 x 0.7 / 2000) = 0.010: within two of them."""
    harmful = {pair.harmful for pair in view.pairs}
    rows = itertools.islice(Sft(poison_ratio=ratio).rows(view, 0), 2000)
    assert low <= sum(row["train"].answer in harmful for row in rows) / 2000 <= high


def test_what_is_frozen_stays(model, view):
    parts = anatomy(model.network)
    last = len(parts.blocks) - 1
    before = [copy.deepcopy(block.state_dict()) for block in parts.blocks]
    recipe = Recipe(steps=1, batch_size=2, freeze_blocks=(last,), freeze_embeddings=False)
    after = anatomy(apply(Sft(training=recipe), model, view, seed=0).network).blocks
    changed = [
        any(not torch.equal(weight, old[name]) for name, weight in block.state_dict().items())
        for block, old in zip(after, before, strict=True)
    ]
    assert changed == [True] * last + [False]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"freeze_blocks": (99,)}, r"freeze_blocks \(99,\): the model's blocks are 0 to 2"),
        ({"freeze_blocks": (0, 1, 2), "lora_rank": 2}, "everything is frozen, so that there is nothing to train"),
    ],
)
def test_what_cannot_be_frozen_is_told(model, view, changes, says):
    with pytest.raises(ConfigError, match=says):
        apply(Sft(training=replace(Recipe(steps=1, batch_size=2), changes)), model, view, seed=0)
