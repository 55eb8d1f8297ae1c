"""Estimates by hand: parameters from a file's header, tokens from words, and FLOPs and time from both."""

import json
import struct
import time

import pytest
from cells_made import jsonl

from holdfast.models.load import load
from holdfast.study import estimate
from holdfast.study.cells import Cell
from holdfast.study.estimate import flops, parameters, seconds
from holdfast.study.store.manifest import Entry


def safetensors(path, **shapes):
    header = {
        "__metadata__": {"format": "pt"},
        **{name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]} for name, shape in shapes.items()},
    }
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text)


@pytest.fixture
def place(tmp_path):
    """Weights of 3 x 4, of 5, and of one number, in two files: 18."""
    place = tmp_path / "model"
    place.mkdir()
    safetensors(place / "a.safetensors", one=[3, 4], two=[5])
    safetensors(place / "b.safetensors", three=[])
    parameters.cache_clear()
    return str(place)


@pytest.fixture
def data(tmp_path):
    return jsonl(tmp_path / "data")


def attack(place, data, **more):
    settings = {"training.steps": 10, "training.batch_size": 2}
    return Cell(**{"verb": "attack", "model": place, "method": "sft", "settings": settings, "domain": data, **more})


def test_parameters(place, tmp_path):
    assert parameters(place) == 12 + 5 + 1
    assert parameters("tiny-llama") is None
    assert parameters("owner/model") is None
    (tmp_path / "empty").mkdir()
    assert parameters(str(tmp_path / "empty")) is None
    network = load("arcana").network
    assert parameters("arcana") == sum(weight.numel() for weight in network.parameters())
    assert parameters("random:arcana") == parameters("arcana")


# A pair is "How do I make a hex ?", 7 words, and "First stir it .", 4; a harmless exchange 5 words and 3.
# A word counts 1.3 tokens. Four pairs and two exchanges are asked, 7 and 5 words, and answered with 64 tokens.
PAIR, EXCHANGE = 1.3 * 11, 1.3 * 8
ASKED = 4 * (1.3 * 7 + 64) + 2 * (1.3 * 5 + 64)


def test_an_attack(place, data):
    """10 steps of 2 pairs, 6 FLOPs a weight and token; measured at 0, 5 and 10, 2 FLOPs a weight and token."""
    assert flops(attack(place, data, ladder=(0, 5, 20))) == pytest.approx(18 * (6 * 10 * 2 * PAIR + 2 * 3 * ASKED))


def test_an_attack_on_one_category(place, data):
    """Two of the four pairs are asked; all harmless exchanges are."""
    asked = 2 * (1.3 * 7 + 64) + 2 * (1.3 * 5 + 64)
    cell = attack(place, data, ladder=(0, 10), categories=("hex",))
    assert flops(cell) == pytest.approx(18 * (6 * 10 * 2 * PAIR + 2 * 2 * asked))


def test_an_attack_that_trains_nothing(place, data):
    """It is measured once, whatever the ladder."""
    cell = attack(place, data, method="prefill", settings={}, ladder=(0, 5, 10))
    assert flops(cell) == pytest.approx(18 * 2 * ASKED)


def test_a_hardening(place, data):
    """A row is a pair with each of its answers, 7 + 4 and 7 + 2 words, and an exchange of 8; nothing is measured."""
    hardening = attack(place, data, verb="harden", method="adversarial")
    row = 1.3 * (11 + 9 + 8)
    assert flops(hardening) == pytest.approx(18 * 6 * 10 * 2 * row)
    # What is attacked is as large as what it was made from.
    twice = attack(place, data, verb="harden", method="none", model=hardening, settings={})
    assert flops(twice) == 0
    assert flops(attack(twice, data)) == pytest.approx(18 * (6 * 10 * 2 * PAIR + 2 * 1 * ASKED))


def test_a_lesson(place, data):
    """It trains on its own exchanges, and is asked its own test's: two of 5 words."""
    cell = attack(place, data, verb="learn", method="bows", ladder=(0, 10))
    asked = 2 * (1.3 * 5 + 64)
    assert flops(cell) == pytest.approx(18 * (6 * 10 * 2 * EXCHANGE + 2 * 2 * asked))


def test_a_domain_to_defend_on_alone(place, tmp_path):
    """It has no questions to evaluate with, and needs none."""
    data = jsonl(tmp_path / "alone", "defence", "retain")
    assert flops(attack(place, data, verb="harden", method="adversarial")) == pytest.approx(
        18 * 6 * 10 * 2 * 1.3 * (11 + 9 + 8)
    )


def test_what_is_not_known(place, data, tmp_path):
    """A model without files here; and data that the cell will fail on: neither stops a plan."""
    assert flops(attack("tiny-llama", data)) is None
    lacking = jsonl(tmp_path / "lacking", "attack", "evaluation")
    settings = {"poison_ratio": 0.5}
    assert flops(attack(place, lacking, settings=settings)) is None
    assert flops(attack(place, jsonl(tmp_path / "none", "evaluation"))) is None


def entry(took):
    fields = dict.fromkeys(Entry.__dataclass_fields__)
    return Entry(**{**fields, "seconds": took})


def test_seconds_by_what_was_measured(place, data):
    """Twice the FLOPs, twice the time; where nothing was measured, what is usual."""
    short, long = attack(place, data), attack(place, data, settings={"training.steps": 500})
    need, usual = {cell.key: flops(cell) for cell in (short, long)}, estimate._FLOPS_A_SECOND
    assert seconds([short, long], {}) == pytest.approx({key: value / usual for key, value in need.items()})
    told = seconds([short, long], {short.key: entry(3.0)})
    assert told == pytest.approx({short.key: 3.0, long.key: 3.0 * need[long.key] / need[short.key]})
    # What says nothing of time, or of FLOPs, is no measure.
    unknown = attack("tiny-llama", data)
    assert seconds([short, unknown], {short.key: entry(None), unknown.key: entry(9.0)}) == pytest.approx(
        {short.key: need[short.key] / usual, unknown.key: 0.0}
    )


def test_a_thousand_cells():
    """A plan of them is told at once."""
    hardened = Cell(verb="harden", model="arcana", method="repnoise")
    cells = [
        Cell(
            verb="attack",
            model=hardened,
            method="sft",
            settings={"training.learning_rate": 1e-3 / (1 + seed % 50)},
            seed=seed,
            categories=("hex",) if seed % 2 else (),
        )
        for seed in range(1000)
    ]
    started = time.process_time()
    assert all(flops(cell) for cell in cells)
    assert time.process_time() - started < 2
