"""What a run will hold and take: phases extrapolated by themselves, and near to what is measured."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from holdfast.errors import InputError, ModelError
from holdfast.models.load import load
from holdfast.models.save import save
from holdfast.study.footprint import estimate
from holdfast.study.footprint.estimate import footprint
from holdfast.study.footprint.gauge import Gauge
from holdfast.study.footprint.probe import LOADING, OPTIMISING, STEPPING, WRITING, Asked, Probe, _fitted, probe
from holdfast.study.footprint.smaller import Shape

MEGA = 1_000_000


def a_probe(blocks: int, stepping: int, optimising: int, step: float) -> Probe:
    return Probe(
        blocks=blocks,
        peaks={STEPPING: stepping, OPTIMISING: optimising},
        held={"weights": 10 * blocks},
        loading=1.0,
        step=step,
        writing=0.5 * blocks,
        width=0.5,
    )


def test_phases_are_extrapolated_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 1 and 3 blocks the pass holds most, 500 and 520; the optimiser 300 and 360. With 24 it is the other way.

    The pass: 520 + 10 x 21 = 730. The optimiser: 360 + 30 x 21 = 990. A step: .4 + .1 x 21 = 2.5 s with batches of the
    usual width, of which the mean is half. Loading 1 s, writing .5 s a block: 13 s.
    """
    made = {1: a_probe(1, 500, 300, 0.2), 3: a_probe(3, 520, 360, 0.4)}
    monkeypatch.setattr(estimate, "probe", lambda asked, blocks, of, write: made[blocks])
    monkeypatch.setattr(estimate, "_blocks", lambda shape: (1, 3))
    monkeypatch.setattr(Shape, "blocks", 24)
    found = footprint(Shape("tiny-llama"), Asked(kind="defences", name="repnoise", settings={"training.steps": 40}))
    assert (found.memory, found.phase, found.peak) == ({STEPPING: 730, OPTIMISING: 990}, OPTIMISING, 990)
    assert found.held == {"weights": 240}
    assert found.step == pytest.approx(1.25)
    assert found.around == pytest.approx(13)
    assert found.seconds == pytest.approx(40 * 1.25 + 13)


def test_a_small_model_is_measured_whole_and_a_large_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = Shape("tiny-llama")
    assert estimate._blocks(shape) == (3,)
    monkeypatch.setattr(estimate, "_WHOLE", 0)
    assert estimate._blocks(shape) == (3,)  # 3 are no more than 1 + 2
    monkeypatch.setattr(Shape, "blocks", 24)
    assert estimate._blocks(shape) == (1, 3)
    monkeypatch.setattr(Shape, "period", 6)
    assert estimate._blocks(shape) == (6, 18)


def test_the_pattern_of_blocks_repeats() -> None:
    """Gemma 3 has five of one kind and then one of another."""
    shape = Shape("tiny-llama")
    for kinds, period in ((["a"] * 4, 1), (["a", "b"] * 3, 2), ([*"aaaaab"] * 2 + ["a"], 6), ([*"ab", "b"], 3)):
        shape._config.layer_types = kinds
        assert shape.period == period


def test_a_smaller_model_has_the_same_shape(tmp_path: Path) -> None:
    shape = Shape("arcana")
    shape.write(2, tmp_path / "two", torch.float32)
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


def test_a_probe_takes_a_few_steps_and_sees_every_phase() -> None:
    """tiny-llama: as many gradients as weights, and AdamW keeps twice as much, and a count for each weight."""
    shape = Shape("tiny-llama")
    settings = {"training.steps": 400, "training.batch_size": 4, "training.freeze_embeddings": False}
    found = probe(
        Asked(kind="defences", name="adversarial", settings=settings),
        3,
        3,
        lambda place: shape.write(3, place, torch.float32),
    )
    assert set(found.peaks) == {LOADING, STEPPING, OPTIMISING, WRITING}
    weights = 4 * shape.parameters()
    assert found.held["weights"] == found.held["gradients"] == weights
    assert 2 * weights <= found.held["optimiser"] < 2.1 * weights
    assert 0.3 < found.width < 3
    assert min(found.step, found.loading, found.writing) > 0


@pytest.mark.parametrize(
    ("name", "settings", "of", "expected"),
    [
        ("repnoise", {"training.freeze_blocks": [35]}, 36, {1: (), 3: ()}),
        ("repnoise", {"training.freeze_blocks": list(range(18))}, 36, {1: (), 3: (0,)}),
        ("repnoise", {"training.freeze_blocks": list(range(1, 32))}, 32, {1: (), 3: (1, 2)}),
    ],
)
def test_as_great_a_share_of_few_blocks_is_frozen(name: str, settings: Any, of: int, expected: Any) -> None:
    """Of 36 one is frozen: of 3 none. Half: of 3, two are trained. All but the first: one is trained."""
    chosen = Asked(kind="defences", name=name, settings=settings).built
    assert {blocks: _fitted(chosen, blocks, of).training.freeze_blocks for blocks in expected} == expected


def test_a_block_is_named_by_its_depth() -> None:
    """7 of 32 is the first of three; 10 to 12 of 32 are one of three, and all are all."""
    rmu = Asked(kind="defences", name="rmu", settings={"layer": 7}).built
    assert [_fitted(rmu, blocks, 32).layer for blocks in (1, 3)] == [0, 0]
    for layers, few in ((range(10, 13), (0,)), (range(32), (0, 1, 2))):
        chosen = Asked(kind="defences", name="repnoise", settings={"layers": list(layers)}).built
        assert _fitted(chosen, 3, 32).layers == few


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_probe_that_is_killed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.study.footprint.probe._run", die)
    with pytest.raises(ModelError, match="it does not fit here with 1 of 24 blocks"):
        probe(Asked(kind="defences", name="repnoise"), 1, 24, lambda place: None)
