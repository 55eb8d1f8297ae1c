"""The first run: what its results say, and that it goes on where it was stopped, however that was."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from holdfast.study import quickstart

SMALL = {"learning_rates": (1e-3,), "steps": 1}
"""One rate and one step: hardening and three attacks, of two rungs each."""
PROGRAM = f"""
import sys
from pathlib import Path
from holdfast.study.quickstart import run

if __name__ == "__main__":
    run(Path(sys.argv[1]), workers=1, **{SMALL!r})
"""
COMMAND = "from holdfast.cli.main import main\nif __name__ == '__main__': main()"


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A folder whose run was killed once one cell was finished; and its workers' ids."""
    place = tmp_path_factory.mktemp("study") / "out"
    main = subprocess.Popen([sys.executable, "-c", PROGRAM, str(place)], start_new_session=True)
    try:
        until(lambda: cells(place), 120)
        workers = session(main.pid)
    finally:
        main.kill()
        main.wait()
    return place, workers


@pytest.fixture(scope="module")
def finished(killed):
    """The same folder after a second run, and the cells that the first had finished."""
    place, _ = killed
    before = cells(place)
    told: list[tuple[int, int]] = []
    results = quickstart.run(place, workers=1, on_progress=lambda *done: told.append(done), **SMALL)
    return place, before, results, told


def cells(place: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (place / "cells").glob("[!.]*.json")}


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


def test_killed_it_leaves_no_worker(killed):
    _, workers = killed
    assert len(workers) > 1  # the main process, and a worker at least
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 15)


def test_killed_it_leaves_no_half_written_file(killed):
    place, _ = killed
    assert all(json.loads((place / "cells" / name).read_text()) for name in cells(place))
    assert not (place / quickstart.RESULTS).exists()


def test_a_second_run_does_only_what_is_left(finished):
    place, before, _, told = finished
    after = cells(place)
    assert before
    assert len(after) == 4
    assert {name: after[name] for name in before} == before
    done, whole = told[-1]
    assert (done, whole) == (300 + 3 * 100, 600)


def test_what_the_results_say(finished):
    place, _, results, _ = finished
    assert json.loads((place / "results.json").read_text()) == results
    assert {*results} == {"format", "domain", "seed", "floor", "threshold", "hardened", "summary", "records"}
    assert (results["format"], results["domain"], results["seed"]) == (1, "arcana", 0)
    assert (results["floor"], results["threshold"]) == (1 / 12, 0.3)
    assert [(record["label"], record["learning_rate"]) for record in results["records"]] == [
        ("base", 1e-3),
        ("oracle", 1e-3),
        ("hardened", 1e-3),
    ]
    for record in results["records"]:
        assert record["failure"] is None
        assert [rung["budget"]["steps"] for rung in record["rungs"]] == [0, 1]
        assert record["attack"]["settings"]["training"]["learning_rate"] == 1e-3
        for rung in record["rungs"]:
            assert {*rung["scores"]} == {"harm", "refusal", "fluency", "utility"}
            assert all(score["low"] <= score["value"] <= score["high"] for score in rung["scores"].values())
    assert results["records"][2]["defence"]["name"] == "repnoise"
    assert (place / results["hardened"] / "model.safetensors").is_file()
    assert "At learning rates 0.001 the undefended safeguard breaks at step" in results["summary"]


def test_a_third_run_does_nothing_and_says_the_same(finished, monkeypatch):
    place, _, results, _ = finished
    before = cells(place)
    assert quickstart.run(place, workers=1, **SMALL) == results
    assert cells(place) == before


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
