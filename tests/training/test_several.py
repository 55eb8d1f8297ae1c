"""Two processes on a CPU give the weights that one gives which accumulates the same micro-batches.

A batch of 8 is 2 x 4 either way: rows 1 to 4 and 5 to 8, each with the noise that their keys and the step decide. The
gradient is the mean of two: (g1 + g2) / 2, added up by two processes or by one after the other. What is left to differ
is the order of float32 sums within them.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from accelerate.commands import launch
from accelerate.utils import DeepSpeedPlugin
from accelerate.utils.launch import prepare_deepspeed_cmd_env
from cases import BY_GRADIENT, CASES, FSDP2, trained

from holdfast import processes
from holdfast.errors import ConfigError
from holdfast.models.tiny import tiny
from holdfast.study.named import method
from holdfast.training.run import apply
from small import TEXTS

WAYS = ("DDP", "FSDP2")
TOGETHER = [(way, case) for way in WAYS for case in CASES if way == "DDP" or case not in BY_GRADIENT]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what two processes made of every case, in every way."""
    folder = tmp_path_factory.mktemp("made")
    here = Path(__file__).parent
    begin = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    there = os.pathsep.join([str(here.parent), *sys.path])
    done = subprocess.run(
        [*begin, str(here / "cases.py"), str(folder), ",".join(WAYS)],
        env={**os.environ, "PYTHONPATH": there},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


@pytest.fixture(scope="module")
def alone():
    """What one process makes of a case, in two micro-batches a step."""
    known = {case: trained(case, accumulation=2) for case in CASES}
    return known.__getitem__


@pytest.mark.parametrize(("way", "case"), TOGETHER)
def test_two_processes_equal_one(made, alone, way, case):
    split, wrapped, weights, rungs = torch.load(made / f"{way} {case}.pt", weights_only=False)
    assert wrapped == 2
    assert split is (way == "FSDP2")
    _, _, expected, seen = alone(case)
    before = dict(tiny(texts=TEXTS).network.named_parameters())
    assert weights.keys() == expected.keys() == before.keys()
    assert max(float((expected[name] - before[name]).detach().abs().max()) for name in before) > 1e-3
    for name in expected:
        torch.testing.assert_close(weights[name], expected[name], atol=1e-7, rtol=0)
    # Steps, samples, examples, tokens, FLOPs; and the sum of all weights as they were there.
    assert [rung[:5] for rung in rungs] == [rung[:5] for rung in seen]
    assert [rung[5] for rung in rungs] == pytest.approx([rung[5] for rung in seen], abs=1e-5)


def test_the_example_for_deepspeed_leaves_to_the_recipe_what_is_its(monkeypatch):
    """What accelerate makes of the file: for "auto" transformers puts the recipe's, and it takes no other number."""
    written = Path(__file__).parents[2] / "examples" / "accelerate" / "zero3.yaml"
    given, defaults, _ = launch._validate_launch_command(
        launch.launch_command_parser().parse_args(["--config_file", str(written), "program.py"])
    )
    given.deepspeed_fields_from_accelerate_config = ",".join(defaults.deepspeed_config)
    for name, value in prepare_deepspeed_cmd_env(given)[1].items():
        if name.startswith("ACCELERATE_"):
            monkeypatch.setenv(name, value)
    config = DeepSpeedPlugin().deepspeed_config
    assert config["zero_optimization"]["stage"] == 3
    assert {config[name] for name in ("gradient_accumulation_steps", "gradient_clipping")} == {"auto"}


@pytest.mark.parametrize("rank", ["0", "1"])
@pytest.mark.parametrize("name", ["none", "prefill", "prune"])
def test_what_does_not_train_is_for_one_process(monkeypatch, model, view, name, rank):
    for variable, value in {"WORLD_SIZE": "2", "RANK": rank, "LOCAL_RANK": rank}.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=r"does not train.*start it without a launcher"):
        apply(method("attacks", name, {}), model, view, seed=0)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"FSDP_VERSION": "1"}, "set fsdp_version to 2"),
        ({"FSDP_AUTO_WRAP_POLICY": "NO_WRAP"}, "set fsdp_auto_wrap_policy to TRANSFORMER_BASED_WRAP"),
        ({"FSDP_CPU_RAM_EFFICIENT_LOADING": "true"}, "set fsdp_cpu_ram_efficient_loading to false"),
    ],
)
def test_what_fsdp_has_to_be(monkeypatch, told, said):
    assert not processes.fsdp()
    for name, value in {"ACCELERATE_USE_FSDP": "true", **FSDP2, **told}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=said):
        processes.fsdp()
