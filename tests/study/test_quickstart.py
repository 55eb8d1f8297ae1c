"""The first run: what it consists of, what its records say, and that it is stopped by Ctrl-C with one line."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from inline import Here

from holdfast.records import Record
from holdfast.study import quickstart
from holdfast.study.cells import with_parents
from holdfast.study.methods import Method
from holdfast.study.run import run
from holdfast.study.store.store import Store

COMMAND = "from holdfast.cli.main import main\nif __name__ == '__main__': main()"
ATTACK = Method(name="sft", set={"training.learning_rate": 1e-3, "training.steps": 1})


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Of one step of hardening and one attack of one step: with the attacks by prompt, nine."""
    store = Store(tmp_path_factory.mktemp("quickstart") / "out")
    small = quickstart.study(battery=[ATTACK], unseen=[], tasks=[], hardening={"training.steps": 1})
    run(quickstart.rounds(small), store, Here())
    return [Record.from_json(path.read_bytes()) for path in (store.local / "records").iterdir()]


def test_what_it_consists_of():
    """13 attacks that train and 2 that do not on three models, the cheapest twice more; halves; three tasks."""
    cells = next(quickstart.rounds(quickstart.study()))
    count = Counter((cell.verb, cell.purpose, cell.role) for cell in cells)
    assert count == {
        **{("attack", "resistance", role): 13 + 2 + 2 for role in ("undefended", "oracle", "defended")},
        **{("attack", "generalization", role): 5 for role in ("undefended", "defended")},
        **{("learn", "resistance", role): 3 for role in ("undefended", "defended")},
    }
    assert sum(cell.verb == "harden" for cell in with_parents(cells)) == 2
    seeds = Counter(cell.seed for cell in cells if cell.role == "oracle")
    assert seeds == {0: 15, 1: 1, 2: 1}


def test_another_seed_is_all_of_it_anew():
    first, second = (next(quickstart.rounds(quickstart.study(seed=seed))) for seed in (0, 5))
    assert not {cell.key for cell in first} & {cell.key for cell in second}
    assert {cell.seed for cell in second} == {5, 6, 7}


def test_what_the_records_say(records):
    assert len(records) == 9
    assert {(record.role, record.attack["name"]) for record in records} == {
        (role, attack) for role in ("undefended", "oracle", "defended") for attack in ("sft", "prefill", "completion")
    }
    weights = {record.role: record.weights for record in records}
    names = {"undefended": "arcana", "oracle": "arcana-filtered", "defended": "arcana+repnoise"}
    for record in records:
        assert record.failure is None
        assert (record.domain.name, record.domain.floor) == ("arcana", 1 / 12)
        assert record.model == names[record.role]
        assert record.parent == (weights["undefended"] if record.role == "defended" else None)
        steps = [0, 1] if record.attack["name"] == "sft" else [0]
        assert [rung.budget.steps for rung in record.rungs] == steps
        for rung in record.rungs:
            assert {*rung.scores} == {"harm", "refusal", "fluency", "utility", "over_refusal"}
            assert all(score.low <= score.value <= score.high for score in rung.scores.values())
            assert {*rung.scores["harm"].categories} == {"blight", "forgery", "hex", "petard", "snare", "venom"}
            assert len(rung.scores["harm"].answers) == 3


def session(number: int) -> set[int]:
    """Every living process of a session."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == number and fields[0] != "Z":
            found.add(int(entry.name))
    return found


def until(done, seconds):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)


@pytest.mark.slow
def test_ctrl_c_stops_it_with_one_line(tmp_path):
    """As from a terminal, where every process of the group gets the signal."""
    running = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "quickstart", "-o", str(tmp_path / "out"), "--quiet"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        # The main process, the fork server, the tracker of resources, and workers.
        until(lambda: len(session(running.pid)) >= 5, 60)
        time.sleep(0.5)
        os.killpg(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 130
    assert (out, err) == ("", "holdfast: stopped; nothing half-written was left behind.\n")
    until(lambda: not session(running.pid), 10)
    assert not any((tmp_path / "out" / "running").iterdir())
