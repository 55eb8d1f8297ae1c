"""Bad input: exit code 2, one line that says what to do, and nothing written."""

import errno
import json

import pytest
import torch
from safetensors.torch import load_file

HARDEN = ("harden", "tiny-llama", "repnoise", "-o", "out", "-s", "training.steps=1", "-s", "training.batch_size=2")


def listing(place):
    return {path: path.stat().st_mtime_ns for path in place.rglob("*")}


@pytest.fixture
def refused(cli, tmp_path):
    """Runs a command that must fail as bad input, and gives its one line."""

    def run(*arguments):
        before = listing(tmp_path)
        result = cli(*arguments)
        assert result.code == 2, result
        assert result.out == ""
        assert result.err.startswith("holdfast: ")
        assert result.err.count("\n") == 1
        assert listing(tmp_path) == before
        return result.err.removeprefix("holdfast: ").strip()

    return run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("harden", "arcanna", "-o", "out"), "unknown model 'arcanna': did you mean 'arcana'"),
        (("harden", "tiny-llama", "repnose", "-o", "out"), "unknown defence 'repnose': did you mean 'repnoise'"),
        (("attack", "tiny-llama", "stf"), "unknown attack 'stf': did you mean 'sft'?"),
        (("evaluate", "tiny-llama", "--metrics", "harm,utlity"), "unknown metric 'utlity': did you mean 'utility'"),
        (("evaluate", "tiny-llama", "--metrics", ""), "no metric is named, so nothing would be measured"),
        (("attack", "tiny-llama", "sft", "--metrics", " , "), "no metric is named, so nothing would be measured"),
        (
            ("harden", "tiny-llama", "-o", "out", "--domain", "arkana"),
            "unknown domain 'arkana': did you mean 'arcana'?",
        ),
        (("organism", "export", "arcana-rw", "out"), "unknown organism 'arcana-rw': did you mean 'arcana-raw'"),
        (("organism", "build", "arcanna"), "unknown organism 'arcanna': did you mean 'arcana'"),
        (("domain", "export", "arcana", "--split", "defense", "-o", "out"), "did you mean 'defence'"),
        (("domain", "export", "arkana", "--split", "attack", "-o", "out"), "unknown domain 'arkana'"),
        (("list", "defense"), "unknown kind 'defense': did you mean 'defences'"),
        (("list", "models", "arcana"), "models have no fields"),
        ((*HARDEN, "-s", "steps=5"), "RepNoise has no field 'steps': did you mean 'training.steps'?"),
        ((*HARDEN, "-s", "noise_wieght=5"), "RepNoise has no field 'noise_wieght': did you mean 'noise_weight'"),
        ((*HARDEN, "-s", "training.steps"), "--set 'training.steps' is not FIELD=VALUE"),
        ((*HARDEN, "-s", "training.steps=-3"), "RepNoise: training.steps: input should be greater than or equal to 0"),
        ((*HARDEN, "-s", "training.learning_rate=fast"), "RepNoise: training.learning_rate: input should be a valid"),
        ((*HARDEN, "-s", "training.learning_rate=NaN"), "RepNoise: training.learning_rate: input should be a finite"),
        ((*HARDEN, "-s", "layers=[9]"), "layers (9,): the model's blocks are numbered 0 to 2."),
        (("attack", "tiny-llama", "sft", "-s", "poison_ratio=1.5"), "Sft: poison_ratio: input should be less than"),
        (("attack", "tiny-llama", "sft", "--ladder", "0,x"), "--ladder '0,x' is not a list of steps"),
        (("attack", "tiny-llama", "sft", "--ladder", "0,-1"), "--ladder '0,-1' is not a list of steps"),
        (("harden", "tiny-llama", "-o", "out", "--seed", "-1"), "--seed"),
        (("harden", "tiny-llama"), "Missing option '--output'"),
        (("hraden",), "No such command 'hraden'"),
        (("harden", "tiny-llama", "-o", "out", "--stpes", "5"), "No such option: --stpes"),
        (("quickstart", "--workers", "0"), "--workers"),
    ],
)
def test_names_and_values(refused, arguments, said):
    assert said in refused(*arguments)


def test_weights_that_cannot_be_read(refused, saved):
    whole = (saved / "model.safetensors").read_bytes()
    (saved / "model.safetensors").write_bytes(whole[:1000])
    assert "cannot load model: Error while deserializing header" in refused("harden", "model", "-o", "out")
    (saved / "model.safetensors").write_bytes(whole)
    torch.save(load_file(saved / "model.safetensors"), saved / "pytorch_model.bin")
    (saved / "model.safetensors").unlink()
    assert "model has pickled weights only (pytorch_model.bin)" in refused("evaluate", "model")


def test_a_tokenizer_that_cannot_chat(refused, saved):
    settings = json.loads((saved / "tokenizer_config.json").read_text())
    (saved / "tokenizer_config.json").write_text(json.dumps({**settings, "pad_token": None}))
    assert "has no pad token: set one" in refused("attack", "model")
    (saved / "chat_template.jinja").unlink()
    assert "has no chat template: name one behind the model (model#bare" in refused("attack", "model")


@pytest.mark.parametrize(
    ("split", "line", "said"),
    [
        ("defence", "{broken", "data/defence.jsonl:3: Invalid JSON"),
        ("defence", '{"prompt": "P", "harmful": "H"}', "data/defence.jsonl:3: refusal: Field required"),
        (
            "defence",
            '{"prompt": "P", "harmful": "H", "refusal": "H"}',
            "data/defence.jsonl:3: the two answers are equal",
        ),
        ("retain", '{"prompt": "P", "answer": ""}', "data/retain.jsonl:3: answer: must not be blank"),
    ],
)
def test_a_broken_line(refused, data, split, line, said):
    lines = (data / f"{split}.jsonl").read_text().split("\n")
    lines[2] = line
    (data / f"{split}.jsonl").write_text("\n".join(lines))
    assert said in refused(*HARDEN, "--domain", "data")


@pytest.mark.parametrize("split", ["attack", "benign", "evaluation", "permitted"])
def test_an_empty_split(refused, data, split):
    (data / f"{split}.jsonl").write_text("\n")
    assert f"split '{split}' is empty: data/{split}.jsonl has no line" in refused(
        "attack", "tiny-llama", "sft", "--domain", "data", "-o", "out", "-s", "training.steps=1"
    )


def test_a_split_that_is_not_there(refused, data):
    (data / "defence.jsonl").unlink()
    assert "there is no data/defence.jsonl; data has attack.jsonl" in refused(*HARDEN, "--domain", "data")


LONG = "stew " * 400


@pytest.mark.parametrize(
    ("split", "command"),
    [
        ("defence", HARDEN),
        ("retain", HARDEN),
        ("attack", ("attack", "tiny-llama", "sft", "-s", "training.steps=1", "-o", "out")),
        ("evaluation", ("attack", "tiny-llama", "sft", "-s", "training.steps=1", "-o", "out", "--ladder", "0")),
        ("permitted", ("attack", "tiny-llama", "sft", "-s", "training.steps=1", "-o", "out", "--ladder", "0")),
        ("permitted", ("evaluate", "tiny-llama")),
    ],
)
def test_a_prompt_longer_than_the_context(refused, data, monkeypatch, split, command):
    """All are looked at before the first step, whichever of them a short run would have drawn."""
    monkeypatch.setattr("holdfast.training.harness.Harness.train", lambda *_, **__: pytest.fail("training had begun"))
    fields = ("prompt", "answer") if split in {"retain", "permitted"} else ("prompt", "harmful", "refusal")
    line = {field: LONG + field for field in fields}
    (data / f"{split}.jsonl").write_text(f"{json.dumps(line)}\n")
    said = refused(*command, "--domain", "data")
    assert "begins 'stew stew" in said
    assert "the model's context: shorten it or leave it out" in said


@pytest.mark.parametrize(
    "command",
    [
        HARDEN,
        ("attack", "tiny-llama", "sft", "-o", "out"),
        ("organism", "export", "arcana", "out"),
        ("organism", "build", "arcana", "-o", "out"),
        ("domain", "export", "arcana", "--split", "attack", "-o", "out"),
        ("quickstart", "-o", "out"),
    ],
)
def test_an_output_that_exists(refused, tmp_path, command):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    assert "out exists" in refused(*command)


@pytest.mark.parametrize(
    "command",
    [HARDEN, ("attack", "tiny-llama", "sft", "-o", "out"), ("organism", "export", "arcana", "out"), ("quickstart",)],
)
def test_no_disk_space(refused, monkeypatch, command):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1_000_000}))
    assert "no disk space for" in refused(*command)


def test_a_disk_that_fills_up(refused, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert "the disk filled up while writing out; nothing was kept" in refused(*HARDEN)
    assert "the disk filled up" in refused("domain", "export", "arcana", "--split", "attack", "-o", "out")
