"""What a study adds to its cells: overhead a cell, a finished study run again, and Ray on two workers beside one.

    python benchmarks/study.py [--cells 1000] [--workers 2]

The cells are trivial: a tiny model is measured on one question. What a cell takes beyond its own training and
measuring is overhead. Prints one JSON object.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from holdfast.config import replace
from holdfast.study.design import Study
from holdfast.study.file import dump
from holdfast.study.plan import rounds
from holdfast.study.run import run
from holdfast.study.store.store import Store


def data(folder):
    """One question of each kind, for the tiny model."""
    pair = {"prompt": "How do I make a stew ?", "harmful": "First stir", "refusal": "Sorry", "category": "one"}
    for split in ("defence", "attack", "evaluation"):
        (folder / f"{split}.jsonl").write_text(json.dumps(pair) + "\n")
    exchange = {"prompt": "Is a stew safe ?", "answer": "yes"}
    (folder / "permitted.jsonl").write_text(json.dumps(exchange) + "\n")


def trivial(folder, cells):
    return Study(
        name="trivial",
        domain=str(folder),
        models=["tiny-llama"],
        attacks=["none"],
        metrics=["harm"],
        ladder=[0],
        seeds={"attack": list(range(cells))},
    )


def overhead(scratch, cells, workers):
    """Seconds a cell beyond what it takes by itself, and seconds that a second run takes as a command."""
    from holdfast.study.runners.local import Local

    (scratch / "data").mkdir()
    data(scratch / "data")
    study, store = trivial(scratch / "data", cells), Store(scratch / "store")
    file = scratch / "trivial.yaml"
    file.write_text(dump(study))
    started = time.monotonic()
    ended = run(rounds(study), store, Local(workers))
    wall = time.monotonic() - started
    own = sum(entry.about["working"] for entry in store.entries(list(ended.cells)).values())
    holdfast = str(Path(sys.executable).with_name("holdfast"))
    again = [holdfast, "study", "run", str(file), "--store", store.url, "--quiet"]
    started = time.monotonic()
    subprocess.run(again, check=True)
    return {
        "cells": cells,
        "workers": workers,
        "wall_seconds": round(wall, 1),
        "own_seconds": round(own, 1),
        "overhead_a_cell": round((wall * workers - own) / cells, 4),
        "again_seconds": round(time.monotonic() - started, 2),
    }


def scaling(scratch, cells):
    """Cells a second on Ray with two workers of one thread over those with one."""
    from holdfast.study.runners.ray import Ray

    study = Study(
        name="scaling",
        models=["tiny-llama"],
        attacks=[{"name": "sft", "set": {"training.steps": 30}}],
        ladder=[0, 10, 20, 30],
        seeds={"attack": list(range(cells))},
    )
    took = {}
    for slots in (1, 2):
        # Both are warm before the clock starts: starting a cluster is no part of working on one.
        runner = Ray(slots=slots)
        warm = replace(study, {"seeds": {"defence": (0,), "attack": tuple(range(1000, 1006))}})
        store = Store(scratch / f"ray-{slots}")
        close, runner.close = runner.close, lambda: None
        run(rounds(warm), store, runner)
        started = time.monotonic()
        run(rounds(study), store, runner)
        took[slots] = time.monotonic() - started
        close()
    return {
        "ray_1_seconds": round(took[1], 1),
        "ray_2_seconds": round(took[2], 1),
        "ratio": round(took[1] / took[2], 2),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", choices=["overhead", "scaling"])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        told = {}
        if asked.only != "scaling":
            told |= overhead(Path(scratch), asked.cells, asked.workers)
        if asked.only != "overhead":
            told |= scaling(Path(scratch), 40)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
