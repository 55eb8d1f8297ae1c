"""A defence applied anew, with blocks frozen."""

import json

import pytest

from holdfast.errors import ConfigError
from holdfast.models.load import load
from holdfast.study.depth import freezing as module
from holdfast.study.depth.freezing import freezing
from holdfast.study.depth.geometry import weights_moved
from holdfast.study.experiment import harden
from holdfast.study.named import open_domain

STEPS = {"training.steps": 2, "training.batch_size": 2}


@pytest.fixture
def base():
    return load("tiny-llama")


def test_the_same_defence_leaves_frozen_blocks_alone(base, monkeypatch):
    """With nothing frozen it gives the hardened model itself; with a block frozen, that block is the base's."""
    hardened = harden(base, "npo", STEPS, seed=3, categories=["hex"])
    made = []

    def caught(model, domain, *, frozen, ladder):
        made.append(model)
        return frozen, ladder

    monkeypatch.setattr(module, "relearnt", caught)
    again = freezing(hardened, base, open_domain("arcana"))
    assert again((0,), (0, 1)) == ((0,), (0, 1))
    again((), (0, 1))
    frozen, same = made
    assert weights_moved(frozen, base)[0] == 0
    assert weights_moved(frozen, base)[1] > 0
    assert weights_moved(same, hardened) == [0] * len(weights_moved(same, hardened))


def test_what_cannot_be_made_anew_is_told(base, tmp_path):
    for split in ("defence", "attack", "evaluation"):
        row = {"prompt": f"question {split}", "harmful": "an answer", "refusal": "no"}
        (tmp_path / f"{split}.jsonl").write_text(json.dumps(row) + "\n")
    domain = open_domain("arcana")
    with pytest.raises(ConfigError, match="nothing says by which defence"):
        freezing(base, base, domain)
    twice = harden(harden(base, "npo", STEPS), "npo", STEPS)
    with pytest.raises(ConfigError, match="not hardened from tiny-llama in one step"):
        freezing(twice, base, domain)
    with pytest.raises(ConfigError, match="make it again with --domain arcana"):
        freezing(harden(base, "npo", STEPS), base, open_domain(str(tmp_path)))
    with pytest.raises(ConfigError, match="does not train"):
        freezing(harden(base, "none"), base, domain)
