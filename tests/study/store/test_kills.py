"""A process that is killed at any moment leaves a whole cell or none, and nothing that stays."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from stored import files, key, put_model, put_record, record

from holdfast.study.store.claims import Claims

HERE = str(Path(__file__).parent)
WRITER = """
import sys
sys.path.insert(0, sys.argv[2])
import itertools, random
from stored import key, put_model, put_record
from holdfast.study.store.claims import Claims
from holdfast.study.store.store import Store

store = Store(sys.argv[1])
store.prepare()
claims = Claims(store)
order = random.Random(int(sys.argv[3]))
print("ready", flush=True)
for number in itertools.count():
    name = f"{order.randrange(20)}"
    for kind, put in (("r", put_record), ("m", put_model)):
        if claims.take(key(kind + name)):
            put(store, kind + name)
            if kind == "m" and order.random() < 0.5:
                store.drop_model(key(kind + name))
            if order.random() < 0.2:
                store.discard(key(kind + name))
            claims.release(key(kind + name))
"""


def writer(store, seed: int) -> subprocess.Popen:
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            WRITER,
            store.url,
            HERE,
            str(seed),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )


def whole(store) -> None:
    """Every cell that counts as finished is what was written."""
    for number in range(20):
        made = store.entry(key(f"r{number}"))
        if made is not None:
            assert store.record(key(f"r{number}")) == record()
        made = store.entry(key(f"m{number}"))
        if made is not None and not made.dropped:
            with store.model(key(f"m{number}")) as place:
                assert (place / "model.safetensors").read_bytes() == b"weights"


def test_twenty_kills(local):
    moments = random.Random(0)
    for seed in range(20):
        with writer(local, seed) as process:
            process.stdout.readline()
            time.sleep(moments.uniform(0.0, 0.05))
            process.send_signal(signal.SIGKILL)
        whole(local)
        local.prepare()
        assert local.place.files("scratch") == {}
        assert local.place.files("running") == {}
        # Nothing is left of weights that were dropped, even when the writer was stopped in between.
        for number in range(20):
            made = local.entry(key(f"m{number}"))
            if made is not None and made.dropped:
                assert not [path for path in files(local) if key(f"m{number}")[:12] in path and "models" in path]
    for number in range(20):
        put_record(local, f"r{number}")
        put_model(local, f"m{number}")
    assert len(files(local)) == 20 * 2 + 20 * 5
    assert len(local.entries([key(f"{kind}{number}") for kind in "rm" for number in range(20)])) == 40


@pytest.mark.parametrize("claimed", [False, True])
def test_two_processes_that_finish_the_same_cells(local, claimed):
    """With claims and without: what is finished is whole at every moment."""
    code = WRITER if claimed else WRITER.replace("claims.take(key(kind + name))", "True")
    code = code.replace("order.random() < 0.2", "False")
    command = [sys.executable, "-c", code, local.url, HERE]
    processes = [subprocess.Popen([*command, str(seed)], stdout=subprocess.PIPE, text=True) for seed in (1, 2)]
    try:
        for process in processes:
            process.stdout.readline()
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            entries = local.entries([key(f"r{number}") for number in range(20)])
            for one in entries:
                assert local.record(one) == record()
            assert all(process.poll() is None for process in processes)
    finally:
        for process in processes:
            process.kill()
            process.wait()
            process.stdout.close()
    whole(local)
    local.prepare()
    assert local.place.files("scratch") == {}
    assert Claims(local).live() == {}
