"""Work in processes of this machine, and all that can happen to them."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pieces
import psutil
import pytest

from holdfast.errors import ConfigError, Damaged, StoreError
from holdfast.study.runners import worker
from holdfast.study.runners.local import Local

HERE = str(Path(__file__).parent)


@contextlib.contextmanager
def local(workers=2, **given):
    runner = Local(workers, preload=(), **given)
    try:
        yield runner
    finally:
        runner.close()


def all_of(runner, number, seconds=60.0):
    """The next `number` that end, by key."""
    ended, end = {}, time.monotonic() + seconds
    while len(ended) < number and time.monotonic() < end:
        ended |= {one.key: one for one in runner.wait(1.0)}
    return ended


def outcome(function, *args, **given):
    """How one piece of work ends."""
    with local(1, **given) as runner:
        runner.start("it", function, *args)
        return all_of(runner, 1)["it"]


def at_work(pid):
    """Whether a process is; asked once, since it may end between two questions."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone(*pids, seconds=10.0):
    """Whether processes are no more, or will be in a moment."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(map(at_work, pids)):
            return True
        time.sleep(0.05)
    return False


def test_work_is_done(tmp_path):
    with local() as runner:
        assert runner.slots == 2
        assert runner.wait(0.01) == []
        runner.start("a", pieces.write, tmp_path / "a", "one")
        runner.start("b", pieces.write, tmp_path / "b", "two")
        ended = all_of(runner, 2)
        assert runner.progress() == {}
    assert {key: (one.failure, one.error) for key, one in ended.items()} == {"a": (None, None), "b": (None, None)}
    assert (tmp_path / "a").read_text() + (tmp_path / "b").read_text() == "onetwo"


def test_two_are_at_work_at_once(tmp_path):
    """Each waits until the other has begun."""
    with local() as runner:
        runner.start("a", pieces.meet, tmp_path, "a", ["b"])
        runner.start("b", pieces.meet, tmp_path, "b", ["a"])
        assert [one.failure for one in all_of(runner, 2).values()] == [None, None]


def test_a_worker_has_one_thread_its_own_scratch_and_lives_on(tmp_path):
    with local(1, scratch=tmp_path) as runner:
        for name in ("a", "b"):
            runner.start(name, pieces.surroundings, tmp_path / name)
            assert all_of(runner, 1)[name].failure is None
        runner.start("torch", pieces.threads, tmp_path / "threads")
        all_of(runner, 1)
    first, second = ((tmp_path / name).read_text().splitlines() for name in ("a", "b"))
    assert first == second  # the process's number is the first line
    assert first[1:] == ["1", str(tmp_path), "True"]
    assert (tmp_path / "threads").read_text() == "1"
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b", "threads"}


@pytest.mark.parametrize(("there", "seen"), [("4,7", ["4", "7", "4"]), ("4", ["4"] * 3), ("", [""] * 3)])
def test_each_worker_sees_one_gpu_in_turn(monkeypatch, there, seen):
    for number, expected in enumerate(seen):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", there)
        worker._take_gpu(number)
        assert os.environ["CUDA_VISIBLE_DEVICES"] == expected


def test_the_main_process_keeps_its_threads(monkeypatch, tmp_path):
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert outcome(pieces.write, tmp_path / "a", "").failure is None
    assert "OMP_NUM_THREADS" not in os.environ


@pytest.mark.parametrize(
    ("function", "args", "reason", "log"),
    [
        (pieces.say_and_leave, (3,), "the worker ended with exit code 3", "last words\n"),
        (pieces.say_and_leave, (0,), "the worker ended with exit code 0", "last words\n"),
        (pieces.say_and_be_killed, (), "the worker was killed (signal 9)", "last words\n"),
        (pieces.segfault, (), "the worker crashed (SIGSEGV)", "last words\n"),
        (pieces.fail, ("value",), "ValueError: no such thing", "about to fail\nTraceback"),
        (pieces.fail, ("unpicklable",), "Unpicklable: cannot travel", "about to fail\nTraceback"),
        (pieces.fail, ("memory",), "out of memory: MemoryError", "about to fail\nTraceback"),
        (pieces.fail, ("diverged",), "the loss stopped being finite at step 4", "about to fail\nTraceback"),
        (pieces.fail, ("exit",), "SystemExit: 3", "about to fail\nTraceback"),
        (pieces.write, (pieces.Broken(), ""), "ImportError: no module of that name", "Traceback"),
    ],
)
def test_a_failure_is_told_and_the_rest_goes_on(tmp_path, function, args, reason, log):
    with local() as runner:
        runner.start("other", pieces.meet, tmp_path, "other", ["go on"])
        runner.start("bad", function, *args)
        bad = all_of(runner, 1)["bad"]
        assert bad.error is None
        assert bad.failure.reason.startswith(reason)
        assert bad.failure.log.startswith(log)
        runner.start("next", pieces.meet, tmp_path, "go on", ["other"])
        assert [one.failure for one in all_of(runner, 2).values()] == [None, None]


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("store", StoreError, "the store is away"),
        ("damaged", Damaged, "model abc is not what was written"),
        ("full", StoreError, "this and that"),
    ],
)
def test_an_error_of_the_store_is_no_failure(name, kind, says):
    ended = outcome(pieces.fail, name)
    assert ended.failure is None
    assert type(ended.error) is kind
    assert str(ended.error).startswith(says)


def test_what_takes_too_long_is_ended(tmp_path):
    with local(1, timeout=1.5) as runner:
        runner.start("slow", pieces.sleep, 600)
        failure = all_of(runner, 1)["slow"].failure
        assert (failure.reason, failure.log) == ("timed out after 1.5 s", "sleeping\n")
        runner.start("quick", pieces.write, tmp_path / "quick", "")
        assert all_of(runner, 1)["quick"].failure is None


def test_what_holds_too_much_is_ended(tmp_path):
    """A bare worker holds about 40 MB; this one goes for 2 GB, and stops on its way."""
    with local(1, memory=150_000_000) as runner:
        runner.start("big", pieces.grow, 600_000_000)
        failure = all_of(runner, 1)["big"].failure
        assert failure.reason.startswith("out of memory: the worker held 0.")
        assert failure.reason.endswith("and 0.1 GB are allowed") or failure.reason.endswith("and 0.2 GB are allowed")
        assert failure.log == "growing\n"
        runner.start("small", pieces.write, tmp_path / "small", "")
        assert all_of(runner, 1)["small"].failure is None


def test_of_much_that_is_printed_the_end_is_kept():
    """1.1 MB of lines."""
    failure = outcome(pieces.chatter, 10_000).failure
    assert len(failure.log) == 4_000
    assert "line 9999" in failure.log
    assert "line 1 " not in failure.log


def test_a_log_tells_of_its_own_work_only():
    with local(1) as runner:
        runner.start("first", pieces.sleep, 0)
        all_of(runner, 1)
        runner.start("second", pieces.say_and_leave, 1)
        assert all_of(runner, 1)["second"].failure.log == "last words\n"


def test_progress_is_told(tmp_path):
    with local(1) as runner:
        runner.start("it", pieces.halfway, tmp_path)
        assert 0 <= runner.progress()["it"] <= 0.5
        pieces.wait_for(tmp_path / "halfway")
        assert runner.progress() == {"it": 0.5}
        (tmp_path / "go on").touch()
        all_of(runner, 1)
        runner.start("next", pieces.report_often, 200_000)
        assert all_of(runner, 1)["next"].failure is None


def test_what_cannot_be_pickled_is_an_error_at_once():
    with local() as runner:
        with pytest.raises((AttributeError, TypeError)):
            runner.start("a", pieces.write, lambda: None)
        with pytest.raises((AttributeError, TypeError)):
            runner.start("a", lambda report: None)
        assert runner.progress() == {}


def test_an_idle_worker_that_is_killed_is_replaced(tmp_path):
    with local(1) as runner:
        runner.start("a", pieces.surroundings, tmp_path / "a")
        all_of(runner, 1)
        killed = int((tmp_path / "a").read_text().split()[0])
        os.kill(killed, signal.SIGKILL)
        assert gone(killed)
        time.sleep(0.2)
        runner.start("b", pieces.surroundings, tmp_path / "b")
        assert all_of(runner, 1)["b"].failure is None


def test_closing_ends_what_is_at_work_and_what_it_started(tmp_path):
    with local() as runner:
        runner.start("a", pieces.note_and_sleep, tmp_path / "a")
        runner.start("b", pieces.write, tmp_path / "b", "")
        pieces.wait_for(tmp_path / "a", tmp_path / "b")
        time.sleep(0.1)
        runner.close()
        assert gone(*map(int, (tmp_path / "a").read_text().split()))
        assert runner.wait(0.0) == []
        runner.start("c", pieces.write, tmp_path / "c", "")
        assert all_of(runner, 1)["c"].failure is None


MAIN = f"""
import sys, time
from pathlib import Path
sys.path.insert(0, {HERE!r})
import pieces
from holdfast.study.runners import worker
from holdfast.study.runners.local import Local

if __name__ == "__main__":
    runner = Local(3, preload=())
    runner.start("a", pieces.note_and_sleep, sys.argv[1] + "/a")
    runner.start("b", pieces.note_and_sleep, sys.argv[1] + "/b")
    runner.start("idle", pieces.surroundings, sys.argv[1] + "/idle")
    while not runner.wait(1.0):
        pass
    pieces.wait_for(Path(sys.argv[1]) / "a", Path(sys.argv[1]) / "b")
"""


UNGUARDED = f"""
import sys
sys.path.insert(0, {HERE!r})
import pieces
from holdfast.study.runners import worker
from holdfast.study.runners.local import Local

runner = Local(1, preload=())
runner.start("a", pieces.sleep, 0)
print(runner.wait(20.0)[0].error)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, None])
def test_workers_end_with_the_main_process(tmp_path, end):
    """Those at work, the idle one, and what they started; killed, interrupted, or without `close`."""
    script = tmp_path / "main.py"
    script.write_text(MAIN + ("    time.sleep(600)\n" if end else ""))
    main = subprocess.Popen([sys.executable, script, tmp_path], stderr=subprocess.DEVNULL)
    try:
        pieces.wait_for(*(tmp_path / name for name in ("a", "b", "idle")))
        time.sleep(0.2)
        workers = [int(pid) for name in "ab" for pid in (tmp_path / name).read_text().split()]
        workers.append(int((tmp_path / "idle").read_text().split()[0]))
        started = [each.pid for each in psutil.Process(main.pid).children(recursive=True)] if end else []
        if end:
            main.send_signal(end)
        main.wait(60)
        assert gone(*workers, *started)
    finally:
        main.kill()
        main.wait()


def test_a_script_without_a_guard_is_told_so(tmp_path):
    """Its worker imports it, and would run the study anew."""
    script = tmp_path / "main.py"
    script.write_text(UNGUARDED)
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, timeout=60)
    assert 'does so under `if __name__ == "__main__":`' in done.stdout


@pytest.mark.parametrize("given", [{"workers": 0}, {"timeout": 0.0}, {"memory": -1}])
def test_what_makes_no_sense_is_refused(given):
    with pytest.raises(ConfigError, match="must be more than 0"):
        Local(**given)
