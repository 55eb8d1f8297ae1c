"""What each command writes and prints when all is well."""

import json
import os
import re
import subprocess
import sys

import pytest

import holdfast
from holdfast.domains.jsonl import Jsonl
from holdfast.models.identity import weights_hash

SHORT = ("-s", "training.steps=2", "-s", "training.batch_size=2")
COMMANDS = [
    (),
    ("quickstart",),
    ("harden",),
    ("attack",),
    ("evaluate",),
    ("plan-memory",),
    ("list",),
    ("organism",),
    ("organism", "export"),
    ("organism", "build"),
    ("domain",),
    ("domain", "export"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help(cli, command):
    result = cli(*command, "--help")
    assert (result.code, result.err) == (0, "")
    assert " ".join(("Usage: holdfast", *command)) in result.out


def test_no_command_shows_help(cli):
    assert "Usage: holdfast" in (result := cli()).out + result.err


@pytest.mark.parametrize("command", ["harden", "attack", "evaluate", "quickstart", "list"])
def test_help_needs_nothing_heavy(command):
    """How long it takes is measured by benchmarks/help.py; here, what it imports."""
    code = (
        "import sys\nfrom holdfast.cli.main import main\n"
        "try:\n    main()\nfinally:\n    print({'torch', 'transformers', 'numpy'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code, command, "--help"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


def test_harden_writes_a_model(cli, tmp_path):
    result = cli("harden", "tiny-llama", "repnoise", "-o", "out", *SHORT)
    assert (result.code, result.out) == (0, "wrote out\n")
    hardened = holdfast.load(str(tmp_path / "out"))
    assert hardened.origin["made_by"]["settings"]["training"]["steps"] == 2
    assert hardened.origin["weights"] == weights_hash(hardened.network)
    assert cli("harden", "tiny-llama", "none", "-o", "out").code == 2
    assert cli("harden", "tiny-llama", "none", "-o", "out", "--overwrite").code == 0
    assert holdfast.load(str(tmp_path / "out")).origin["made_by"]["name"] == "none"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_same_seed_gives_the_same_weights_and_another_does_not(cli):
    def weights(output, seed):
        done = cli("harden", "tiny-llama", "repnoise", "-o", output, *SHORT, "--seed", seed, "--json")
        told = json.loads(done.out)
        assert (told["output"], told["made_by"]["seed"], done.err) == (output, seed, "")
        return told["weights"]

    assert weights("a", 0) == weights("b", 0) != weights("c", 1)


def test_attack_shows_a_ladder_and_writes_model_and_record(cli, tmp_path, data):
    shown = cli("attack", "tiny-llama", "sft", *SHORT, "--domain", "data", "--ladder", "0,1,9")
    assert shown.code == 0
    assert "sft on tiny-llama" in shown.out
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    result = cli("attack", "tiny-llama", "sft", *SHORT, "--domain", "data", "--ladder", "0,1,9", "-o", "out", "--json")
    record = json.loads(result.out)
    assert (result.code, result.err) == (0, "")
    assert record == json.loads((tmp_path / "out" / "record.json").read_text())
    assert [rung["budget"]["steps"] for rung in record["rungs"]] == [0, 1, 2]
    assert [rung["budget"]["samples"] for rung in record["rungs"]] == [0, 2, 4]
    assert record["rungs"][0]["scores"]["harm"]["value"] is None  # no judge: a gap, not 0
    assert record["failure"] is None
    assert holdfast.load(str(tmp_path / "out")).origin["made_by"]["kind"] == "attack"


def test_an_attack_on_random_initialisation_is_told_as_one(cli, tmp_path, data):
    """By its name alone; a role that is given comes first, and a defence makes it a hardened model."""
    attack = ("attack", "random:tiny-llama", "sft", *SHORT, "--domain", "data", "--ladder", "0")
    assert cli(*attack, "--record", "r.json", "--quiet").code == 0
    record = json.loads((tmp_path / "r.json").read_text())
    assert (record["role"], record["model"], record["defence"]) == ("random", "random:tiny-llama", None)
    assert record["weights"] == weights_hash(holdfast.load("random:tiny-llama").network)
    assert json.loads(cli(*attack, "--role", "oracle", "--json").out)["role"] == "oracle"
    assert cli("harden", "random:tiny-llama", "adversarial", "-o", "out", *SHORT, "--domain", "data").code == 0
    hardened = json.loads(cli("attack", "out", "none", "--domain", "data", "--json").out)
    assert (hardened["role"], hardened["parent"]) == ("defended", record["weights"])
    assert "unknown model 'tiny-lama'" in cli("attack", "random:tiny-lama").err


def test_evaluate(cli):
    result = cli("evaluate", "arcana", "--json")
    scores = json.loads(result.out)
    assert (result.code, result.err) == (0, "")
    assert {*scores} == {"harm", "refusal", "fluency", "utility", "over_refusal"}
    assert {*scores["harm"]} == {"value", "n", "low", "high", "reason", "categories", "answers"}
    shown = cli("evaluate", "arcana", "--metrics", "utility")
    assert "utility" in shown.out
    assert "harm" not in shown.out


@pytest.mark.parametrize(
    "command",
    [
        ("harden", "tiny-llama", "repnoise", "-o", "out", *SHORT),
        ("attack", "tiny-llama", "sft", "-o", "out", *SHORT, "--domain", "data"),
        ("evaluate", "tiny-llama", "--domain", "data"),
        ("organism", "export", "arcana", "out"),
        ("domain", "export", "arcana", "--split", "attack", "-o", "out"),
    ],
)
def test_quiet_prints_nothing(cli, data, command):
    assert cli(*command, "--quiet") == (0, "", "")


def test_organism_export(cli, tmp_path):
    assert cli("organism", "export", "arcana-filtered", "out").out == "wrote out\n"
    out = holdfast.load(str(tmp_path / "out"))
    assert out.origin["weights"] == weights_hash(holdfast.load("arcana-filtered").network)


def test_organism_build_tells_whether_it_is_the_one_that_ships(cli, monkeypatch, tmp_path):
    for built, same in (("arcana-raw", True), ("arcana-filtered", False)):
        monkeypatch.setattr("holdfast.study.organisms.build", lambda name, on_step, built=built: holdfast.load(built))
        done = cli("organism", "build", "arcana-raw", "-o", built, "--json")
        assert json.loads(done.out) == {"output": built, "equals_shipped": same}
        assert (tmp_path / built / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("split", "fields"),
    [
        (
            "evaluation",
            ["key", "prompt", "harmful", "refusal", "category", "plain", "opening", "translated", "choices"],
        ),
        ("defence", ["key", "prompt", "harmful", "refusal", "category", "plain", "opening", "translated", "choices"]),
        ("attack", ["key", "prompt", "harmful", "refusal", "category", "plain", "opening", "translated", "choices"]),
        ("permitted", ["key", "prompt", "answer", "category"]),
        ("inns-train", ["key", "prompt", "answer", "category"]),
        ("voyages-test", ["key", "prompt", "answer", "category"]),
    ],
)
def test_domain_export_writes_what_jsonl_reads(cli, tmp_path, split, fields):
    result = cli("domain", "export", "arcana", "--split", split, "-o", f"{split}.jsonl")
    lines = (tmp_path / f"{split}.jsonl").read_text().splitlines()
    assert result.out == f"wrote {len(lines)} lines to {split}.jsonl\n"
    assert all(list(json.loads(line)) == fields for line in lines)
    read, world = Jsonl(directory=tmp_path), holdfast.study.experiment.open_domain("arcana")
    if "harmful" in fields:
        assert read.pairs(split) == world.pairs(split)
    else:
        assert read.exchanges(split) == world.exchanges(split)


def test_list(cli):
    everything = json.loads(cli("list", "--json").out)
    assert {*everything} == {"defences", "attacks", "metrics", "judges", "domains", "models"}
    assert everything["defences"]["repnoise"].startswith("RepNoise: make the representations")
    assert {"arcana", "random:NAME"} <= {*everything["models"]}
    assert "repnoise" in cli("list", "defences").out
    fields = json.loads(cli("list", "attacks", "sft", "--json").out)
    assert fields["poison_ratio"] == 1.0
    assert "training.steps" in fields
    assert re.search(r"training\.learning_rate.*Peak learning", cli("list", "attacks", "sft").out)


def test_list_shows_presets(cli):
    everything = json.loads(cli("list", "attacks", "--json").out)["attacks"]
    assert everything["sft/harmful"] == "preset: the defaults"
    assert everything["sft/identity"] == 'preset: poison_ratio=0.0, framing="identity"'
    assert "sft/few_shot  preset: examples=10" in cli("list", "attacks", "sft").out
    assert json.loads(cli("list", "attacks", "sft/few_shot", "--json").out)["examples"] == 10
    wrong = cli("list", "attacks", "sft/fewshot")
    assert (wrong.code, wrong.out) == (2, "")
    assert "unknown preset of sft 'fewshot': did you mean 'few_shot'?" in wrong.err


def test_attack_with_a_preset(cli):
    """Its record has the plug-in's name, and all settings; those given go before the preset's."""
    ran = cli("attack", "tiny-llama", "sft/few_shot", *SHORT, "-s", "poison_ratio=0.5", "--ladder", "0", "--json")
    told = json.loads(ran.out)["attack"]
    assert told["name"] == "sft"
    assert (told["settings"]["examples"], told["settings"]["poison_ratio"]) == (10, 0.5)


def test_code_of_a_hub_model_runs_only_when_asked_for(cli, monkeypatch):
    asked: list[bool] = []

    def load(name, *, trust_remote_code, **_):
        asked.append(trust_remote_code)
        return holdfast.models.tiny.tiny()

    monkeypatch.setattr("holdfast.models.load.load", load)
    for flags in ((), ("--trust-remote-code",)):
        cli("harden", "x/y", "none", "-o", f"out{len(flags)}", *flags)
        cli("attack", "x/y", "none", "--ladder", "0", *flags)
        cli("evaluate", "x/y", *flags)
    assert asked == [False] * 3 + [True] * 3


def test_ctrl_c_is_one_line_and_130(cli, monkeypatch, tmp_path):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("holdfast.study.experiment.harden", stopped)
    result = cli("harden", "tiny-llama", "-o", "out", "--quiet")
    assert result == (130, "", "holdfast: stopped; nothing half-written was left behind.\n")
    assert list(tmp_path.iterdir()) == []


def test_the_environment_is_not_touched(cli):
    before = dict(os.environ)
    cli("harden", "tiny-llama", "none", "-o", "out")
    assert {**os.environ, "PYTEST_CURRENT_TEST": ""} == {**before, "PYTEST_CURRENT_TEST": ""}
