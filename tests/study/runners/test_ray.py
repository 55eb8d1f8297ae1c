"""Work on a Ray cluster of two nodes and more, all of them on this machine."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pieces
import psutil
import pytest
from test_local import HERE, all_of, gone

from holdfast.errors import ConfigError, Damaged
from holdfast.study.runners import probe
from holdfast.study.runners.local import Local
from holdfast.study.runners.ray import Ray

pytest.importorskip("ray")

SURROUNDINGS = {
    "PYTHONPATH": HERE,
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": "a token of these tests, and of nothing else",
    "RAY_USAGE_STATS_ENABLED": "0",
}
ODD = 8
"""GPUs of a node that only one test's work is meant for."""


@pytest.fixture
def no_network():
    """The cluster is reached by this machine's own address; nothing here connects to another."""


def lose(cluster, node):
    """End a node as a power cut does: all of its processes at once, those that do work too."""
    raylet = node.all_processes["raylet"][0].process.pid
    at_work = psutil.Process(raylet).children(recursive=True)
    cluster.remove_node(node, allow_graceful=False)
    for process in at_work:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def read_anew():
    """Ray reads its environment when it is imported, which may be long ago."""
    from ray._raylet import AuthenticationTokenLoader, Config

    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()


@pytest.fixture(scope="module")
def cluster():
    """A head, and a node with a pretended GPU; one CPU each."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SURROUNDINGS.items():
            patch.setenv(name, value)
        from ray.cluster_utils import Cluster

        read_anew()
        folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
        # Where Ray notes the address of the last cluster; it makes that folder only where it was given no other.
        patch.setenv("RAY_TMPDIR", folder)
        Path(folder, "ray").mkdir()
        soon = {"health_check_period_ms": 500, "health_check_timeout_ms": 3000, "health_check_failure_threshold": 3}
        head = {"num_cpus": 1, "include_dashboard": False, "temp_dir": folder, "_system_config": soon}
        cluster = None
        try:
            cluster = Cluster(initialize_head=True, head_node_args=head)
            cluster.add_node(num_cpus=1, num_gpus=1)
            yield cluster
        finally:
            if cluster:
                cluster.shutdown()
            shutil.rmtree(folder, ignore_errors=True)
    read_anew()


@contextlib.contextmanager
def ray(cluster, **given):
    runner = Ray(cluster.address, preload=(), **given)
    try:
        yield runner
    finally:
        runner.close()


@contextlib.contextmanager
def another_node(cluster, **given):
    node = cluster.add_node(**given)
    try:
        yield node
    finally:
        if node in cluster.worker_nodes:
            cluster.remove_node(node)


def test_work_is_done_on_all_nodes_at_once(cluster, tmp_path):
    """Two nodes of one CPU: each piece waits until the other has begun."""
    with ray(cluster) as runner:
        assert runner.slots == 2
        assert runner.wait(0.01) == []
        for name, other in ("ab", "ba"):
            runner.start(name, pieces.meet, tmp_path, name, [other])
        assert runner.progress() == {"a": 0.0, "b": 0.0}
        ended = all_of(runner, 2)
        assert runner.progress() == {}
        assert [(one.failure, one.error) for one in ended.values()] == [(None, None)] * 2

        # A function that no module holds, as those of a script or a notebook are to a cluster.
        runner.start("it", lambda path, report: pieces.surroundings(path, report), tmp_path / "it")
        assert all_of(runner, 1)["it"].failure is None
        assert (tmp_path / "it").read_text().splitlines()[1] == "1"  # thread

        with pytest.raises(TypeError):
            runner.start("lock", pieces.write, threading.Lock())
        assert runner.progress() == {}


FAILING = {
    "leaves": (pieces.say_and_leave, (3,)),
    "is killed": (pieces.say_and_be_killed, ()),
    "crashes": (pieces.segfault, ()),
    "raises": (pieces.fail, ("value",)),
    "unpicklable": (pieces.fail, ("unpicklable",)),
    "diverges": (pieces.fail, ("diverged",)),
    "damaged": (pieces.fail, ("damaged",)),
    "prints": (pieces.chatter, (10_000,)),
    "takes too long": (pieces.sleep, (600,)),
    "holds too much": (pieces.grow, (600_000_000,)),
    "is well": (pieces.sleep, (0,)),
}


@pytest.mark.slow
@pytest.mark.slow
def test_failures_are_told_as_without_ray(cluster):
    told = {}
    for runner in (Local(2, preload=(), timeout=8, memory=150_000_000), None):
        with contextlib.nullcontext(runner) if runner else ray(cluster, timeout=8, memory=150_000_000) as chosen:
            waiting, ended = dict(FAILING), {}
            while len(ended) < len(FAILING):
                while waiting and len(chosen.progress()) < chosen.slots:
                    name = next(iter(waiting))
                    function, args = waiting.pop(name)
                    chosen.start(name, function, *args)
                ended |= {one.key: one for one in chosen.wait(30.0)}
            chosen.close()
        for name, one in ended.items():
            reason = one.failure and one.failure.reason.partition(" held ")[0]
            told.setdefault(name, []).append((reason, str(one.error), one.failure and one.failure.log[-20:]))
            assert isinstance(one.error, Damaged) == (name == "damaged")
    for one, other in told.values():
        assert one == other
    assert told["takes too long"][0][0] == "timed out after 8 s"
    assert told["holds too much"][0][0] == "out of memory: the worker"
    assert told["leaves"][0][2] == "last words\n"
    assert told["is well"][0] == (None, "None", None)


@pytest.mark.slow
def test_two_share_a_gpu(cluster, tmp_path):
    """Half of a GPU and half of a CPU each: both fit on the one node that has a GPU."""
    with ray(cluster, gpus=0.5, cpus=0.5) as runner:
        assert runner.slots == 2
        for name, other in ("ab", "ba"):
            runner.start(name, pieces.note_gpu, tmp_path, name, [other])
        assert [one.failure for one in all_of(runner, 2).values()] == [None, None]
    assert [(tmp_path / f"gpu of {name}").read_text() for name in "ab"] == ["0", "0"]


@pytest.mark.slow
def test_work_of_a_lost_node_is_done_again(cluster, tmp_path):
    """Three pieces on three nodes, the third of which is killed: its piece alone has a second attempt."""
    with ray(cluster) as runner:
        with another_node(cluster, num_cpus=1) as node:
            runner.wait(0.1)
            runner.start("a", pieces.note_attempt, tmp_path, "a")
            runner.wait(0.1)
            assert runner.slots == 3  # it has grown
            for name in "bc":
                runner.start(name, pieces.note_attempt, tmp_path, name)
            pieces.wait_for(*(tmp_path / f"{name}-0" for name in "abc"))
            where = {name: (tmp_path / f"{name}-0").read_text() for name in "abc"}
            assert len({*where.values()}) == 3  # spread over all nodes
            lose(cluster, node)
        (tmp_path / "go on").touch()
        assert [one.failure for one in all_of(runner, 3).values()] == [None] * 3
        while runner.slots == 3:  # Ray takes some seconds to tell that the node is lost
            runner.wait(0.1)
        assert runner.slots == 2
    attempts = {name: len(list(tmp_path.glob(f"{name}-*"))) for name in "abc"}
    assert sorted(attempts.values()) == [1, 1, 2]


@pytest.mark.slow
def test_a_node_lost_too_often_is_a_failure(cluster, tmp_path):
    with another_node(cluster, num_cpus=1, num_gpus=ODD) as node, ray(cluster, gpus=ODD, retries=0) as runner:
        runner.start("it", pieces.note_attempt, tmp_path, "it")
        pieces.wait_for(tmp_path / "it-0")
        lose(cluster, node)
        assert all_of(runner, 1)["it"].failure.reason == "the node was lost 1 time"


@pytest.mark.slow
def test_what_ray_ends_for_want_of_memory_is_a_failure(cluster):
    """A node that counts as full at a thousandth of its memory, so always."""
    full = {"RAY_memory_usage_threshold": "0.001", "RAY_memory_monitor_refresh_ms": "100"}
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_task_oom_retries", raising=False)
        node = another_node(cluster, num_cpus=1, num_gpus=ODD, env_vars=full)
        with node, ray(cluster, gpus=ODD, retries=1) as runner:
            runner.start("it", pieces.sleep, 600)
            failure = all_of(runner, 1)["it"].failure
    assert failure.reason == "out of memory: Ray ended the worker, as its node had too little left"
    assert "running low on memory" in failure.log


@pytest.mark.slow
def test_a_node_without_holdfast_is_no_failure_of_the_work(cluster, tmp_path):
    (tmp_path / "holdfast").mkdir()
    (tmp_path / "holdfast" / "__init__.py").touch()
    bare = {"PYTHONPATH": str(tmp_path)}
    with another_node(cluster, num_cpus=1, num_gpus=ODD, env_vars=bare), ray(cluster, gpus=ODD) as runner:
        runner.start("it", pieces.sleep, 0)
        ended = all_of(runner, 1)["it"]
    assert ended.failure is None
    with pytest.raises(ConfigError, match=r"cannot do Holdfast's work .*: install the same version"):
        raise ended.error


@pytest.mark.slow
def test_closing_ends_the_work_and_leaves_the_cluster(cluster, tmp_path):
    with ray(cluster) as runner:
        runner.start("it", pieces.note_and_sleep, tmp_path / "it")
        pieces.wait_for(tmp_path / "it")
        time.sleep(0.1)
    assert gone(*map(int, (tmp_path / "it").read_text().split()))
    with ray(cluster) as runner:
        assert runner.slots == 2


DRIVER = """
import sys
import pieces
from holdfast.study.runners.ray import Ray

if __name__ == "__main__":
    runner = Ray(sys.argv[2] if len(sys.argv) > 2 else None, preload=())
    runner.start("it", pieces.note_and_sleep, sys.argv[1] + "/it")
    pieces.wait_for(pieces.Path(sys.argv[1]) / "it")
    print(runner._temporary, flush=True)
    if len(sys.argv) > 2:
        runner.wait(600.0)
    runner.close()
"""


def test_work_ends_with_the_main_process(cluster, tmp_path):
    (tmp_path / "main.py").write_text(DRIVER)
    with subprocess.Popen([sys.executable, tmp_path / "main.py", tmp_path, cluster.address]) as main:
        pieces.wait_for(tmp_path / "it")
        time.sleep(0.2)
        main.kill()
    assert gone(*map(int, (tmp_path / "it").read_text().split()), seconds=30.0)


@pytest.mark.slow
def test_a_cluster_of_its_own_leaves_nothing(tmp_path):
    (tmp_path / "main.py").write_text(DRIVER)
    home = tmp_path / "home"
    home.mkdir()
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    done = subprocess.run(
        [sys.executable, tmp_path / "main.py", tmp_path],
        env={**surroundings, "PYTHONPATH": HERE, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    folder = done.stdout.strip()
    assert folder.startswith("/tmp/ray-")
    assert not Path(folder).exists()
    assert list(home.iterdir()) == []  # no token for others to read
    assert gone(*map(int, (tmp_path / "it").read_text().split()))
    of_ray: list[int] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if folder in " ".join(process.cmdline()):
                of_ray.append(process.pid)
    assert gone(*of_ray)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("127.0.0.1:1", "the Ray cluster at 127.0.0.1:1 cannot be reached .*Connection refused"),
        ("ray://127.0.0.1:1", "the Ray cluster at ray://127.0.0.1:1 cannot be reached .*Connection refused"),
        ("nowhere.invalid:6379", "the Ray cluster at nowhere.invalid:6379 cannot be reached"),
    ],
)
def test_a_wrong_address_is_told_soon(address, says):
    started = time.monotonic()
    with pytest.raises(ConfigError, match=says):
        Ray(address)
    assert time.monotonic() - started < 15


def test_something_else_at_the_address_is_told(monkeypatch):
    """A server of another kind: it takes the connection, and never says what Ray wants to hear."""
    monkeypatch.setattr(probe, "_ANSWER", 3.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(ConfigError, match=f"{address} did not answer within"):
            Ray(address)


@pytest.mark.parametrize("given", [{"RAY_AUTH_TOKEN": "a wrong one"}, {"RAY_AUTH_MODE": "disabled"}])
def test_a_wrong_token_is_told(cluster, monkeypatch, given):
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match="refuses the token: set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN"):
        Ray(cluster.address)


def test_what_no_node_has_is_refused(cluster):
    with pytest.raises(ConfigError, match=r"no node .* \(1 CPU, 100 GPU\); ask for less"):
        Ray(cluster.address, gpus=100)


def test_without_ray_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"pip install 'holdfast\[ray\]'"):
        Ray()
