"""What `holdfast audit` takes: wall time, what that is beyond training and generation, and peak memory.

    python benchmarks/audit.py [MODEL] [--tier quick] [--workers 2] [-- MORE OPTIONS OF THE COMMAND]

Overhead is what all workers were there for, over what the runs say they took from their first copy of the model to
their last answer: starting, loading, writing, waiting for the other worker, and drawing the report. Memory is that of
all processes together, looked at five times a second, with what they share counted once; beside it the largest of any
one, as the system tells it at the end. Targets: 300 s on two quiet cores, 10 %, 4 GB. Prints one JSON object.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

os.environ["OMP_NUM_THREADS"] = "1"
HOLDFAST = "from holdfast.cli.main import main\nif __name__ == '__main__': main()"


def held(process):
    """Bytes of a process and of all below it."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_full_info().pss
        except psutil.Error:
            continue
    return total


def watched(command):
    """Exit code, seconds, and the most bytes of all its processes together."""
    started, most = time.monotonic(), 0
    running = subprocess.Popen(command)
    ended = threading.Event()

    def watch():
        nonlocal most
        process = psutil.Process(running.pid)
        while not ended.wait(0.2):
            try:
                most = max(most, held(process))
            except psutil.Error:
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = running.wait()
    ended.set()
    watcher.join()
    return code, time.monotonic() - started, most


def spent(folder):
    """How many runs there were, and seconds that they took by themselves, and loading their model."""
    told = [json.loads(path.read_text())["about"] for path in sorted((folder / "cells").glob("*.json"))]
    working = [about["working"] for about in told if about.get("working")]
    return len(told), sum(working), sum(about.get("loading") or 0.0 for about in told)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="arcana")
    parser.add_argument("--tier", default="quick")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("more", nargs="*", help="after --: for the command as it is")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "audit"
        options = ["--tier", asked.tier, "--workers", str(asked.workers), "-o", str(folder), *asked.more]
        code, wall, most = watched([sys.executable, "-c", HOLDFAST, "audit", asked.model, *options])
        runs, working, loading = spent(folder)
        outcome = json.loads((folder / "audit.json").read_text())["outcome"]
    # Linux tells kilobytes.
    largest = 1024 * max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    told = {
        "model": asked.model,
        "tier": asked.tier,
        "workers": asked.workers,
        "outcome": outcome,
        "exit_code": code,
        "runs": runs,
        "wall_seconds": round(wall, 1),
        "working_seconds": round(working, 1),
        "loading_seconds": round(loading, 2),
        "overhead": round(asked.workers * wall / working - 1, 4),
        "peak_gigabytes": round(most / 1e9, 2),
        "largest_process_gigabytes": round(largest / 1e9, 2),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
