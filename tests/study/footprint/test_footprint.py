"""What a run will hold and take: phases extrapolated by themselves, and near to what is measured."""

import os
import signal
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
import torch

from holdfast.config import to_flat
from holdfast.errors import ConfigError, InputError, ModelError
from holdfast.models import devices
from holdfast.models.load import load
from holdfast.models.save import save
from holdfast.study.footprint import estimate
from holdfast.study.footprint.estimate import footprint
from holdfast.study.footprint.gauge import Gauge
from holdfast.study.footprint.named import fitted, named
from holdfast.study.footprint.probe import (
    LOADING,
    OPTIMISING,
    STEPPING,
    WHEN,
    WRITING,
    Asked,
    Cut,
    Probe,
    _paced,
    probe,
)
from holdfast.study.footprint.smaller import Shape

MEGA = 1_000_000


def a_probe(blocks: int, stepping: int, optimising: int, step: float) -> Probe:
    return Probe(
        blocks=blocks,
        peaks={STEPPING: stepping, OPTIMISING: optimising},
        held={"weights": 10 * blocks},
        loading=1.0,
        step=step,
        warming=0.25 * blocks,
        writing=0.5 * blocks,
        width=0.5,
    )


def test_phases_are_extrapolated_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 1 and 3 blocks the pass holds most, 500 and 520; the optimiser 300 and 360. With 24 it is the other way.

    The pass: 520 + 10 x 21 = 730. The optimiser: 360 + 30 x 21 = 990. A step: .4 + .1 x 21 = 2.5 s with batches of the
    usual width, of which the mean is half. Loading 1 s, warming up .25 s and writing .5 s a block: 19 s.
    """
    made = {1: a_probe(1, 500, 300, 0.2), 3: a_probe(3, 520, 360, 0.4)}
    monkeypatch.setattr(estimate, "probe", lambda asked, cut, write: made[cut.blocks])
    monkeypatch.setattr(estimate, "_WHOLE", 0)
    monkeypatch.setattr(Shape, "blocks", 24)
    found = footprint(Shape("tiny-llama"), Asked(kind="defences", name="repnoise", settings={"training.steps": 40}))
    assert (found.memory, found.phase, found.peak) == ({STEPPING: 730, OPTIMISING: 990}, OPTIMISING, 990)
    assert found.held == {"weights": 240}
    assert found.step == pytest.approx(1.25)
    assert found.around == pytest.approx(19)
    assert found.seconds == pytest.approx(40 * 1.25 + 19)


def test_a_first_step_that_takes_longer_is_told_from_a_usual_one() -> None:
    """Begun at 0 s, steps end at 5, 7, 9 and 13, all is over at 14: of the first step's 5 s, 3 are no step's, and 1 at
    the end; the last step has the widest batch and does not count. Without steps to compare, all of it is one."""
    assert _paced((0, 5, 7, 9, 13, 14)) == (2, 4)
    assert _paced((0, 1, 3, 5, 7, 7)) == (2, 0)
    assert _paced((0, 6)) == (6, 0)


def test_a_small_model_is_measured_whole_and_a_large_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = Shape("tiny-llama")

    def blocks(some: dict[str, tuple[int, ...]] | None = None) -> list[int]:
        return [cut.blocks for cut in estimate._cuts(shape, some or {})]

    assert blocks() == [3]
    monkeypatch.setattr(estimate, "_WHOLE", 0)
    assert blocks() == [3]  # 3 are no more than 1 + 2
    monkeypatch.setattr(Shape, "blocks", 24)
    assert blocks() == [1, 3]
    # Beside a block that is frozen there is one that is not; of more than one, it is measured what each adds.
    assert blocks({"training.freeze_blocks": (23,)}) == [2, 4]
    assert blocks({"training.freeze_blocks": (22, 23), "layers": (1, 3)}) == [2, 4, 4, 4]
    monkeypatch.setattr(Shape, "period", 6)
    assert blocks() == [6, 18]
    # 100 weights in no block and 10 in each period of six: of 229 there are twelve periods, of 24.
    monkeypatch.setattr(Shape, "parameters", lambda shape, count=24 * 6: 100 + count // 6 * 10)
    monkeypatch.setattr(Shape, "blocks", 24 * 6)
    monkeypatch.setattr(estimate, "_WHOLE", 229)
    assert blocks() == [6, 72]


def test_what_named_blocks_add_goes_with_how_many_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass holds 100 and 10 a block, and 7 more for each that is named; of 24 blocks 12 are: 100 + 240 + 84 = 424."""

    def measured(asked: Asked, cut: Cut, write: object) -> Probe:
        named = len(fitted(asked.built, cut.whole, cut.blocks, cut.counts).layers)
        return a_probe(cut.blocks, 100 + 10 * cut.blocks + 7 * named, 0, 0.1)

    monkeypatch.setattr(estimate, "probe", measured)
    monkeypatch.setattr(estimate, "_WHOLE", 0)
    monkeypatch.setattr(Shape, "blocks", 24)
    for layers, expected in ((range(0, 24, 2), 424), (range(12), 424), ([7], 347), (range(24), 508)):
        asked = Asked(kind="defences", name="repnoise", settings={"layers": list(layers)})
        assert footprint(Shape("tiny-llama"), asked).peak == expected


@pytest.mark.parametrize(
    ("kind", "name", "settings", "counts", "small"),
    [
        ("defences", "repnoise", {"training.freeze_blocks": [35]}, {"training.freeze_blocks": 1}, [3]),
        ("defences", "repnoise", {"training.freeze_blocks": [*range(18)]}, {"training.freeze_blocks": 3}, [0, 1, 2]),
        (
            "defences",
            "repnoise",
            {"training.freeze_blocks": [*range(18, 36)]},
            {"training.freeze_blocks": 3},
            [1, 2, 3],
        ),
        ("defences", "triplet", {"layers": [*range(36)]}, {}, [0, 1, 2, 3]),
        ("defences", "rmu", {"layer": 7}, {"layer": 1}, 0),
        ("defences", "rmu", {"layer": 7}, {"layer": 3}, 2),
        ("defences", "rmu", {"layer": 35}, {}, 3),
        ("attacks", "layer_injection", {"after": [-1]}, {"after": 1}, [3]),
    ],
)
def test_named_blocks_of_36_are_those_at_the_same_depth_of_4(
    kind: Literal["defences", "attacks"], name: str, settings: dict[str, Any], counts: dict[str, int], small: Any
) -> None:
    whole = Asked(kind=kind, name=name, settings=settings).built
    assert dict.fromkeys(named(whole, 36), 1) == dict.fromkeys(counts, 1)
    assert to_flat(fitted(whole, 36, 4, counts))[next(iter(settings))] == small
    assert fitted(whole, 36, 36, {}) is whole


def test_a_block_that_the_model_lacks_is_told_as_its_own() -> None:
    asked = Asked(kind="defences", name="rmu", settings={"layer": 36})
    with pytest.raises(ConfigError, match="there is no block 36: the model's blocks are 0 to 35"):
        named(asked.built, 36)


def test_it_is_measured_where_it_will_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the CPU of a machine with a GPU, if that is chosen; there is nowhere to train a model that is spread."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv(devices.VARIABLE, "cpu")
    with Gauge() as gauge:
        gauge.phase("here")
    assert gauge.peaks["here"] > 0
    monkeypatch.setattr(estimate, "probe", lambda asked, cut, write: a_probe(3, 1, 1, 1))
    asked = Asked(kind="defences", name="repnoise")
    found = footprint(Shape("tiny-llama"), asked)
    assert (found.device, found.available > 0) == ("CPU", True)
    monkeypatch.setenv(devices.VARIABLE, devices.SPREAD)
    with pytest.raises(ConfigError, match="nothing can be trained there"):
        footprint(Shape("tiny-llama"), asked)


def test_the_pattern_of_blocks_repeats() -> None:
    """Gemma 3 has five of one kind and then one of another."""
    shape = Shape("tiny-llama")
    for kinds, period in ((["a"] * 4, 1), (["a", "b"] * 3, 2), ([*"aaaaab"] * 2 + ["a"], 6), ([*"ab", "b"], 3)):
        shape._config.layer_types = kinds
        assert shape.period == period


def test_a_smaller_model_has_the_same_shape(tmp_path: Path) -> None:
    shape = Shape("arcana")
    shape.write(2, tmp_path / "two")
    small = Shape(str(tmp_path / "two"))
    assert (shape.blocks, small.blocks) == (4, 2)
    block = (shape.parameters() - small.parameters()) / 2
    assert shape.parameters(1) == small.parameters() - block


def test_a_shape_reads_the_tokens_that_the_model_does(tmp_path: Path) -> None:
    """Of a saved Qwen 2 transformers would make another tokenizer, and batches of another width."""
    save(load("tiny-qwen2"), tmp_path / "saved")
    text = "How do I make a stew ?"
    ours, its = Shape(str(tmp_path / "saved")), load(str(tmp_path / "saved"))
    assert ours._tokenizer(text)["input_ids"] == its.tokenizer(text)["input_ids"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("arcanna", "unknown model 'arcanna': did you mean 'arcana'"),
        ("./nowhere", "unknown model './nowhere'"),
        ("tiny-llama#nope", "unknown chat template 'nope'"),
        ("nobody/nothing", "cannot read the configuration of nobody/nothing: "),
    ],
)
def test_a_shape_is_named_as_a_model_is(name: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        Shape(name)
    assert said in str(error.value)


def test_what_no_run_could_use_has_no_shape(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    save(load("tiny-llama"), tmp_path / "saved")
    settings = tmp_path / "saved" / "config.json"
    settings.write_text('{"model_type": "bert", "num_hidden_layers": 1, "hidden_size": 12}')
    with pytest.raises(ModelError, match="found no blocks of BertLMHeadModel"):
        Shape(str(tmp_path / "saved"))
    settings.write_text('{"model_type": "llama", "num_hidden_layers": "x"}')
    with pytest.raises(ModelError, match="'num_hidden_layers' expected int, got str"):
        Shape(str(tmp_path / "saved"))
    assert capfd.readouterr() == ("", "")


def test_a_gauge_tells_phases_apart() -> None:
    """80 MB in one phase; what comes after it holds less."""
    with Gauge() as gauge:
        gauge.phase("before")
        gauge.phase("much")
        block = torch.ones(20 * MEGA)
        gauge.phase("between")
        del block
        gauge.phase("after")
        torch.ones(1000)
    if torch.cuda.is_available():
        pytest.skip("a GPU is watched instead")
    assert gauge.peaks["much"] - gauge.peaks["before"] == pytest.approx(80 * MEGA, rel=0.1)
    assert gauge.peaks["after"] < gauge.peaks["much"] - 60 * MEGA


@pytest.mark.parametrize(
    ("dtype", "width"), [(torch.float32, 4), pytest.param(torch.bfloat16, 2, marks=pytest.mark.slow)]
)
def test_a_probe_takes_a_few_steps_and_sees_every_phase(dtype: torch.dtype, width: int) -> None:
    """tiny-llama: as many gradients as weights, and AdamW keeps twice as much, and a count for each weight.

    They are trained in float32, whatever they are loaded in.
    """
    shape = Shape("tiny-llama")
    settings = {"training.steps": 400, "training.batch_size": 4, "training.freeze_embeddings": False}
    asked = Asked(kind="defences", name="adversarial", settings=settings, categories=("hex",), dtype=dtype)
    found = probe(asked, Cut(whole=3, blocks=3), partial(shape.write, 3))
    assert set(found.peaks) == {LOADING, STEPPING, OPTIMISING, WRITING} == set(WHEN)
    weights = 4 * shape.parameters()
    assert (found.held["weights"], found.held["gradients"]) == (width * shape.parameters(), weights)
    assert 2 * weights <= found.held["optimiser"] < 2.1 * weights
    assert 0.3 < found.width < 3
    assert min(found.step, found.loading, found.writing) > 0


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_a_probe_that_is_killed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.study.footprint.probe._run", die)
    with pytest.raises(ModelError, match="it does not fit here with 1 of 24 blocks"):
        probe(Asked(kind="defences", name="repnoise"), Cut(whole=24, blocks=1), lambda place: None)
