"""`holdfast study`: plan, run, status, report, export; and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from holdfast.cli.studies import percent

STUDY = """\
name: small
domain: data
models: [tiny-llama]
defences:
  - {name: adversarial, set: {training.steps: 1, training.batch_size: 2}}
attacks:
  - none
  - prefill
  - {name: sft, set: {training.steps: 1, training.batch_size: 2}}
ladder: [0, 1]
metrics: [harm]
"""


@pytest.fixture
def study(tmp_path, data):
    """A study of seven cells on the folder of small data."""
    path = tmp_path / "small.yaml"
    path.write_text(STUDY)
    return path


def test_from_the_plan_to_the_tables(cli, study, tmp_path):
    """Six records and one hardened model: planned, run, asked for, reported on, exported; and then it is all there."""
    plan = cli("study", "plan", "small.yaml")
    assert (plan.code, plan.err) == (0, "")
    assert "7 cells, 0 there, 7 left" in " ".join(plan.out.split())
    assert not (tmp_path / "holdfast-studies").exists()  # a plan writes nothing
    cells = json.loads(cli("study", "plan", "small.yaml", "--json").out)
    assert [cell["state"] for cell in cells] == ["left"] * 7
    assert len({cell["key"] for cell in cells}) == 7

    ran = cli("study", "run", "small.yaml", "--workers", "1")
    assert ran.code == 0
    assert "7 cells done" in ran.out
    assert "100 % done" in ran.err
    again = cli("study", "run", "small.yaml", "--json")
    assert (again.code, again.err) == (0, "")
    told = json.loads(again.out)
    assert (told["done"], told["found"], told["failed"]) == (0, 7, 0)

    assert "7 done, 0 failed, 0 running, 0 left" in cli("study", "status", "small.yaml").out
    assert [cell["state"] for cell in json.loads(cli("study", "status", "small.yaml", "--json").out)] == ["done"] * 7
    report = cli("study", "report", "small.yaml")
    assert report.code == 0
    assert (tmp_path / "holdfast-studies" / "small" / "report.html").is_file()
    assert cli("report", "holdfast-studies/small").code == 0  # its records are a folder like any other
    export = cli("study", "export", "small.yaml", "-o", "tables")
    assert export.code == 0
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == [
        "cells.csv",
        "cells.parquet",
        "scores.csv",
        "scores.parquet",
    ]
    refused = cli("study", "export", "small.yaml", "-o", "tables")
    assert (refused.code, "exists already" in refused.err) == (2, True)
    for command in ("du", "verify", "gc"):
        assert cli("store", command, "holdfast-studies/small").code == 0
    assert "7 done" in cli("study", "status", "small.yaml").out

    study.write_text(STUDY + "seeds: {defence: [0, 1], attack: [0]}\n")
    (over,) = json.loads(cli("study", "report", "small.yaml", "--json").out)["comparisons"]
    assert (over["asked"], over["missing"], len(over["hardened"])) == (2, 3, 1)
    assert "The study is not finished: 3 of the cells that it has asked for so far are missing." in over["headline"]


def test_a_share_that_nobody_told_is_no_zero():
    assert [percent(share) for share in (0.0, 0.256, 1.0)] == ["\N{EN DASH}", "26 %", "100 %"]


def test_finished_with_failures_is_4(cli, study):
    """No cell is done within a hundredth of a second: each is a failure, and nothing is robust for it."""
    study.write_text(STUDY + "timeout: 0.01\n")
    ran = cli("study", "run", "small.yaml", "--workers", "1")
    assert ran.code == 4
    assert "7 failed" in " ".join(ran.out.split())
    assert "holdfast: attack tiny-llama: none, seed 0: timed out after 0.01 s" in ran.err
    assert "its model could not be made: timed out after 0.01 s" in " ".join(ran.err.split())
    assert "7 failed" in cli("study", "status", "small.yaml").out
    report = json.loads(cli("study", "report", "small.yaml", "--json").out)
    assert [verdict["outcome"] for verdict in report["verdicts"]] == ["inconclusive"]
    assert all(run["failure"] for run in report["runs"])
    # What failed is kept, until it is asked for again with more time.
    study.write_text(STUDY)
    assert cli("study", "run", "small.yaml", "--workers", "1", "--quiet").code == 4
    assert cli("study", "run", "small.yaml", "--workers", "1", "--quiet", "--retry-failed").code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            STUDY.replace("- prefill", "- prefil"),
            "small.yaml:8: attacks[1]: unknown attack 'prefil': did you mean 'prefill' or 'prune'?",
        ),
        (STUDY.replace("ladder:", "lader:"), "small.yaml:10: unknown key 'lader': did you mean 'ladder'?"),
        (STUDY.replace("domain: data", "domain: dat"), "small.yaml:2: domain: unknown domain 'dat'"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line(cli, study, text, said):
    study.write_text(text)
    for command in ("plan", "run", "status", "report"):
        result = cli("study", command, "small.yaml")
        assert result.code == 2
        assert said in result.err
        assert len(result.err.splitlines()) == 1


def test_other_bad_input(cli, study):
    for arguments, said in [
        (("plan", "there-is-none.yaml"), "there-is-none.yaml"),
        (("run", "small.yaml", "--runner", "rey"), "unknown runner 'rey': did you mean 'ray'?"),
        (("run", "small.yaml", "--tier", "quick"), "there are no tiers here"),
        (("report", "small.yaml"), "run it first"),
        (("report", "small.yaml", "--store", "memory://nowhere"), "say with --output"),
    ]:
        result = cli("study", *arguments)
        assert result.code == 2, arguments
        assert said in result.err


@pytest.mark.slow
def test_ctrl_c_leaves_all_of_it_resumable(cli, study, tmp_path):
    # Its last cells take long enough to be stopped in.
    study.write_text(STUDY.replace("sft, set: {training.steps: 1,", "sft, set: {training.steps: 100,"))
    command = "from holdfast.cli.main import main\nif __name__ == '__main__': main()"
    running = subprocess.Popen(
        [sys.executable, "-c", command, "study", "run", "small.yaml", "--workers", "1", "--quiet"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    cells = tmp_path / "holdfast-studies" / "small" / "cells"
    end = time.monotonic() + 60
    while not (cells.is_dir() and any(cells.iterdir())):
        assert time.monotonic() < end
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (130, "holdfast: stopped; nothing half-written was left behind.\n")
    assert not any((cells.parent / "running").iterdir())
    assert cli("study", "run", "small.yaml", "--workers", "1", "--quiet").code == 0
