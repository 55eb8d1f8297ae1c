"""A loss that turns NaN: exit code 1, the step, and the last good state beside where the output would be."""

import json

import pytest
import torch

import holdfast
from holdfast.attacks.sft import Sft
from holdfast.defences.adversarial import Adversarial


@pytest.fixture
def nan_at(monkeypatch):
    """Makes the loss of defence and attack NaN from one step on."""

    def at(step):
        for cls in (Adversarial, Sft):
            plain = cls.loss

            def loss(self, model, batch, progress, plain=plain):
                terms = plain(self, model, batch, progress)
                spoilt = torch.tensor(float("nan")) if progress.step >= step else torch.tensor(1.0)
                return {name: term * spoilt for name, term in terms.items()}

            monkeypatch.setattr(cls, "loss", loss)

    return at


CONSTANT = ("-s", "training.schedule=constant")  # else the rate of step 2 hangs on how many follow
COMMON = (
    "--domain",
    "data",
    "-s",
    "training.steps=5",
    "-s",
    "training.batch_size=2",
    *CONSTANT,
    "-o",
    "out",
    "--quiet",
)


@pytest.mark.parametrize("command", [("harden", "tiny-llama", "adversarial"), ("attack", "tiny-llama", "sft")])
def test_it_stops_and_keeps_what_was_good(cli, data, tmp_path, nan_at, command):
    nan_at(2)
    result = cli(*command, *COMMON)
    assert (result.code, result.out) == (1, "")
    assert result.err.count("\n") == 1
    assert result.err.startswith("holdfast: ")
    assert "stopped being finite at step 3" in result.err
    assert "The last good state is in out.last-good; nothing was written to out." in result.err
    assert {path.name for path in tmp_path.iterdir()} == {"data", "out.last-good"}
    kept = holdfast.load(str(tmp_path / "out.last-good"))
    assert all(torch.isfinite(weight).all() for weight in kept.network.parameters())
    # It is where two steps lead, to the bit.
    nan_at(99)
    whole = cli(*command, *COMMON[:2], "-s", "training.steps=2", *COMMON[4:])
    assert whole.code == 0
    assert kept.origin["weights"] == holdfast.load(str(tmp_path / "out")).origin["weights"]


def test_an_attack_that_diverges_is_a_failure_and_no_robustness(cli, data, nan_at):
    nan_at(1)
    result = cli(
        "attack", "tiny-llama", "sft", "--domain", "data", "-s", "training.steps=3", "--ladder", "0,1,2", "--json"
    )
    record = json.loads(result.out)
    assert result.code == 1
    assert [rung["budget"]["steps"] for rung in record["rungs"]] == [0, 1]
    assert "at step 2" in record["failure"]["reason"]
    assert "last-good" not in result.err
