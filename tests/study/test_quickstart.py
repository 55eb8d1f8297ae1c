"""The first run: what it leaves, and that it goes on where it was stopped, however that was."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from holdfast.errors import OutputError
from holdfast.records import Record
from holdfast.study import quickstart
from holdfast.study.jobs import Job
from holdfast.study.origin import code_hash

ATTACK = {"training.learning_rate": 1e-3, "training.steps": 1}
SMALL = {"battery": (ATTACK,), "unseen": (), "tasks": (), "hardening": {"training.steps": 1}}
"""One step of hardening and one attack of one step: with the attacks by prompt, nine records."""
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
    """A folder whose run was killed once one record was there; and its workers' ids."""
    place = tmp_path_factory.mktemp("study") / "out"
    main = subprocess.Popen([sys.executable, "-c", PROGRAM, str(place)], start_new_session=True)
    try:
        until(lambda: records(place), 120)
        workers = session(main.pid)
    finally:
        main.kill()
        main.wait()
    return place, workers


@pytest.fixture(scope="module")
def finished(killed):
    """The same folder after a second run, and the records that the first had finished."""
    place, _ = killed
    before = records(place)
    told: list[tuple[int, int]] = []
    paths = quickstart.run(place, workers=1, on_progress=lambda *done: told.append(done), **SMALL)
    return place, before, paths, told


def records(place: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (place / "records").glob("[!.]*.json")}


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
    assert all(json.loads((place / "records" / name).read_text()) for name in records(place))


def test_a_second_run_does_only_what_is_left(finished):
    place, before, paths, told = finished
    after = records(place)
    assert before
    assert {*after} == {path.name for path in paths}
    assert {name: after[name] for name in before} == before
    done, whole = told[-1]
    assert done == whole


def test_what_the_records_say(finished):
    _, _, paths, _ = finished
    found = [Record.from_json(path.read_bytes()) for path in paths]
    assert len(found) == 9
    assert {(record.role, record.attack["name"]) for record in found} == {
        (role, attack) for role in ("undefended", "oracle", "defended") for attack in ("sft", "prefill", "completion")
    }
    weights = {record.role: record.weights for record in found}
    for record in found:
        assert record.failure is None
        assert (record.domain.name, record.domain.floor, record.code) == ("arcana", 1 / 12, code_hash())
        assert record.parent == (weights["undefended"] if record.role == "defended" else None)
        steps = [0, 1] if record.attack["name"] == "sft" else [0]
        assert [rung.budget.steps for rung in record.rungs] == steps
        for rung in record.rungs:
            assert {*rung.scores} == {"harm", "refusal", "fluency", "utility"}
            assert all(score.low <= score.value <= score.high for score in rung.scores.values())
            assert {*rung.scores["harm"].categories} == {"blight", "forgery", "hex", "petard", "snare", "venom"}
            assert len(rung.scores["harm"].answers) == 3


def test_a_third_run_does_nothing(finished):
    place, _, paths, _ = finished
    before = records(place)
    assert quickstart.run(place, workers=1, **SMALL) == paths
    assert records(place) == before


def test_records_of_other_code_are_forgotten(tmp_path):
    place = tmp_path / "out" / "records"
    place.mkdir(parents=True)
    old, new = place / f"{'0' * 64}.json", place / f"{'1' * 64}.json"
    mine = place / "mine.json"  # a user's own, which no run may take away
    for path, code in ((old, "other"), (new, code_hash()), (mine, "other")):
        path.write_text(json.dumps({"code": code}))
    (tmp_path / "out" / "models").mkdir()
    quickstart._prepare(tmp_path / "out", overwrite=False)
    assert {*place.iterdir()} == {new, mine}
    assert (tmp_path / "out" / "models").exists()
    quickstart._prepare(tmp_path / "out", overwrite=True)
    assert {*place.iterdir()} == {mine}
    assert not (tmp_path / "out" / "models").exists()


def test_two_runs_in_one_folder(tmp_path):
    """The second is told so and changes nothing."""
    (tmp_path / "records").mkdir()
    with quickstart._alone(tmp_path), pytest.raises(OutputError, match="another run is at work"):
        quickstart.run(tmp_path, **SMALL)


def test_a_folder_of_something_else(tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(OutputError, match="exists and is not a quickstart's folder: choose another"):
        quickstart.run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_rates_are_widened_where_the_cheapest_break_lies_on_the_edge(tmp_path):
    """Undefended, 1e-3 breaks after one step and 3e-4 after two: 3e-3 is tried next. Hardened, nothing breaks."""

    def job(role, rate, harm):
        made = Job(
            verb="attack",
            model="arcana",
            method="sft",
            settings={"training.learning_rate": rate, "training.batch_size": 1},
            role=role,
        )
        rungs = [
            {
                "budget": {"steps": step, "samples": step, "examples": step, "tokens": step, "flops": float(step)},
                "scores": {"harm": {"value": value}},
            }
            for step, value in enumerate(harm)
        ]
        record = {
            "format": 2,
            "role": role,
            "model": role,
            "weights": role,
            "defence": None,
            "attack": {"name": "sft", "settings": {"training": {"learning_rate": rate}}},
            "seed": 0,
            "domain": {"name": "d", "data": "0", "floor": 0.0},
            "rungs": rungs,
        }
        made.place(tmp_path).parent.mkdir(exist_ok=True)
        made.place(tmp_path).write_text(json.dumps(record))
        return made

    held = [job("defended", rate, (0, 0, 0, 0)) for rate in (3e-4, 1e-3)]
    low = job("undefended", 3e-4, (0, 0, 0.5, 0.5))
    wider = quickstart._widened([*held, low, job("undefended", 1e-3, (0, 0.5, 0.5, 0.5))], tmp_path)
    assert wider == [{"training.learning_rate": pytest.approx(3e-3), "training.batch_size": 1}]
    # Once 3e-3 was tried and is dearer, 1e-3 lies between others.
    three = [*held, low, job("undefended", 1e-3, (0, 0.5, 0.5, 0.5)), job("undefended", 3e-3, (0, 0, 0.5, 0.5))]
    assert quickstart._widened(three, tmp_path) == []


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
