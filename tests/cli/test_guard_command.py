"""`holdfast guard`, `holdfast mend`, and a provider's defences in `attack` and `learn`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import Trainer

import holdfast
from holdfast.domains.jsonl import Jsonl
from holdfast.models.identity import weights_hash
from holdfast.models.tiny import tiny
from small import PAIRS, TEXTS

EXAMPLE = Path(__file__).parents[2] / "examples" / "provider" / "train.py"
SMALL = ("--domain", "data", "-s", "batch_size=4", "-s", "alignment_steps=1", "-s", "user_steps=1")
LISA = [part if part in {"-s", "--domain", "data"} else f"lisa.{part}" for part in SMALL]
SHORT = ("-s", "training.steps=2", "-s", "training.batch_size=2", "--domain", "data")


@pytest.fixture
def base(tmp_path):
    """A tiny model's directory `base` that knows the words of `data`, and a customer's rows."""
    holdfast.save(tiny(texts=TEXTS), tmp_path / "base")
    lines = [json.dumps({"prompt": pair.prompt, "answer": pair.harmful}) for pair in PAIRS]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path / "base"


def example(output: str) -> tuple[object, ...]:
    return (EXAMPLE, "base", "rows.jsonl", "--output", output, "--steps", "2")


def weights(name: object) -> str:
    return weights_hash(holdfast.load(str(name)).network)


def test_the_example(cli, tmp_path, data, base):
    """The script by itself, under a guard, and mended: in one command or in two."""
    train, argv, path = Trainer.train, list(sys.argv), list(sys.path)
    done = subprocess.run(
        [sys.executable, *map(str, example("plain"))], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    result = cli("guard", "lisa", *LISA, "--after", "antidote", "-o", "mended", "--", *example("guarded"))
    assert result.code == 0
    assert result.out.endswith("lisa watched over 2 steps of SFTTrainer\nwrote mended\n")
    assert Trainer.train is train
    assert sys.path == path
    assert argv != sys.argv == ["holdfast", *sys.argv[1:]]
    assert len({weights(name) for name in ("base", "plain", "guarded", "mended")}) == 4
    assert cli("mend", "guarded", "antidote", "--aligned", "base", "-o", "again", "--domain", "data").code == 0
    assert weights("again") == weights("mended")

    made = holdfast.load("mended").origin
    assert made["made_by"]["name"] == "antidote"
    guarded, aligned = made["parents"]
    assert (guarded["name"], guarded["weights"]) == ("base+lisa", weights("guarded"))
    assert guarded["made_by"]["kind"] == "guard"
    assert guarded["made_by"]["settings"]["batch_size"] == 4
    assert aligned["weights"] == guarded["parents"][0]["weights"] == weights("base")


def test_a_guard_alone_may_write_what_came_out_too(cli, data, base):
    told = cli("guard", "lisa", *SMALL, "-o", "out", "--quiet", "--", *example("guarded"))
    assert told.code == 0
    assert not told.out.endswith("wrote out\n")
    assert weights("out") == weights("guarded")
    assert holdfast.load("out").origin["made_by"]["name"] == "lisa"
    config = json.loads(Path("out", "config.json").read_text())
    assert config["use_cache"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lisa",), "name the training script behind --: holdfast guard lisa -- train.py"),
        (("lisa", "--", "nowhere.py"), "there is no script nowhere.py"),
        (("lisa", "--", "idle.py"), "idle.py trained nothing that can be guarded"),
        (("repnoise", "--", "idle.py"), "repnoise acts before anybody fine-tunes: harden the model with it"),
        (("antidote", "--", "idle.py"), "antidote acts on what has come out of a training"),
        (("lisa", "--after", "kl", "-o", "out", "--", "idle.py"), "kl acts while a model is trained"),
        (("lisa", "--after", "antidote", "--", "idle.py"), "--after antidote makes another model: say where"),
        (("lisa", "-o", "data", "--", "idle.py"), "data exists already"),
        (("lias", "--", "idle.py"), "unknown defence 'lias': did you mean 'lisa'"),
        (("lisa", "-s", "roh=1", "--", "idle.py"), "Lisa has no field 'roh'"),
        (("lisa", "--domain", "dta", "--", *example("guarded")), "unknown domain 'dta'"),
        (("lisa", "--domain", "data", "--", "bare.py"), "Trainer has no tokenizer, and a guard has texts of its own"),
    ],
)
def test_what_cannot_be_guarded(cli, tmp_path, data, base, arguments, said):
    (tmp_path / "idle.py").write_text("print('nothing to do')\nraise SystemExit(0)\n")
    (tmp_path / "bare.py").write_text(
        "from transformers import AutoModelForCausalLM, Trainer, TrainingArguments\n"
        "model = AutoModelForCausalLM.from_pretrained('base')\n"
        "settings = TrainingArguments('out', use_cpu=True, report_to='none')\n"
        "Trainer(model=model, args=settings, train_dataset=[]).train()\n"
    )
    result = cli("guard", *arguments)
    assert result.code == 2
    assert said in result.err.splitlines()[-1]
    assert not (tmp_path / "mended").exists()


def test_a_script_that_fails_passes_that_on(cli, tmp_path):
    train, path = Trainer.train, list(sys.path)
    (tmp_path / "left.py").write_text("import sys\nassert __name__ == '__main__'\nsys.exit(int(sys.argv[1]))\n")
    assert cli("guard", "lisa", "--", "left.py", 3).code == 3
    (tmp_path / "broken.py").write_text("raise ZeroDivisionError('of its own')\n")
    with pytest.raises(ZeroDivisionError, match="of its own"):
        cli("guard", "lisa", "--", "broken.py")
    assert Trainer.train is train
    assert sys.path == path


def test_a_trainer_that_goes_its_own_way_is_told(cli, tmp_path, data, base):
    """Steps that do not pass through `compute_loss` leave a guard nothing to do; that is no guarded training."""
    text = EXAMPLE.read_text().replace(
        "trainer = SFTTrainer(",
        "class Own(SFTTrainer):\n"
        "    def training_step(self, model, inputs, num_items_in_batch=None):\n"
        "        return next(model.parameters()).sum().detach()\n"
        "trainer = Own(",
    )
    (tmp_path / "train.py").write_text(text)
    result = cli("guard", "kl", "--domain", "data", "--", "train.py", *example("out")[1:])
    assert result.code == 1
    assert "the guard has added nothing to what Own learned" in result.err.splitlines()[-1]


def test_a_mend_that_does_not_fit(cli, tmp_path, saved, base):
    def refused(*arguments: object) -> str:
        result = cli("mend", *arguments)
        assert result.code == 2
        return result.err

    assert "lisa acts while a model is trained" in refused("base", "lisa", "--aligned", "base", "-o", "out")
    assert "Missing option '--aligned'" in refused("base", "antidote", "-o", "out")
    assert "base exists already" in refused("base", "antidote", "--aligned", "base", "-o", "base")
    assert "the aligned model has other layers" in refused("base", "--aligned", "tiny-gpt2", "-o", "out")


def test_attack_and_learn_under_a_provider(cli, data):
    lines = (data / "benign.jsonl").read_text().splitlines(keepends=True)
    for split, some in (("inns-train", lines[::2]), ("inns-test", lines[1::2])):
        (data / f"{split}.jsonl").write_text("".join(some))
    assert Jsonl(directory=data).tasks() == ["inns"]
    for command in (("attack", "tiny-llama", "sft"), ("learn", "tiny-llama", "inns")):
        result = cli(*command, *SHORT, "--provider", "lisa+antidote", "-s", "lisa.batch_size=3", "--json")
        assert result.code == 0, result.err
        record = json.loads(result.out)
        assert record["role"] == "defended"
        assert record["model"] == "tiny-llama+lisa+antidote"
        assert [stage["stage"] for stage in record["defence"]["stages"]] == ["during", "after"]
        assert record["defence"]["stages"][0]["settings"]["batch_size"] == 3
        assert record["attack"]["settings"]["training"]["steps"] == 2
        refused = cli(*command, *SHORT, "--provider", "repnoise")
        assert (refused.code, "repnoise acts before anybody fine-tunes" in refused.err) == (2, True)
