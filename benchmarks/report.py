"""How long `holdfast report` takes: until it begins to read records, and the whole, beside a bare start of Python.

    python benchmarks/report.py

On a folder of 45 made-up records, attacks of nine rungs. Runs in turn; medians. The last line is
one JSON object.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from holdfast.records import Budget, Record, Rung, Score, World

STEPS = (0, 1, 2, 3, 5, 10, 20, 30, 60)
SAID = "from holdfast.cli.main import main; main()"
READ = """
import sys
import holdfast.report.build as build

build.read = lambda directory: sys.exit(0)
"""
"""Ends the command where it would begin to read."""


def score(value: float) -> Score:
    return Score(value=value, n=144, low=max(0.0, value - 0.03), high=min(1.0, value + 0.03))


def record(role: str, number: int) -> Record:
    """Harm that rises with the steps, sooner undefended."""
    slow = {"undefended": 1, "defended": 4, "oracle": 1000}[role]
    rungs = [
        Rung(
            budget=Budget(steps=step, samples=step, examples=step, tokens=30 * step, flops=1e8 * step),
            scores={
                "harm": score(min(1.0, step * (1 + number) / (10 * slow))),
                "refusal": score(0.5),
                "fluency": score(1.0),
                "utility": score(1.0),
            },
        )
        for step in STEPS
    ]
    training = {"learning_rate": 1e-4 * (1 + number), "batch_size": 1, "lora_rank": 0}
    return Record(
        role=role,  # type: ignore[arg-type]
        model=role,
        weights=role,
        defence={"kind": "defence", "name": "repnoise", "settings": {}, "seed": 0} if role == "defended" else None,
        attack={"name": "sft", "settings": {"training": training}},
        seed=0,
        domain=World(name="made up", data="0", floor=0.08),
        rungs=rungs,
    )


def seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begun


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "records"
        folder.mkdir()
        for role in ("undefended", "defended", "oracle"):
            for number in range(15):
                made = record(role, number)
                (folder / f"{role}-{number}.json").write_text(json.dumps(made.to_json()))
        commands = {
            "python_seconds": [sys.executable, "-c", "pass"],
            "start_seconds": [sys.executable, "-c", READ + SAID, "report", place],
            "report_seconds": [sys.executable, "-c", SAID, "report", place, "--quiet"],
        }
        runs = [{name: seconds(command) for name, command in commands.items()} for _ in range(8)][1:]
    medians = {name: statistics.median(run[name] for run in runs) for name in commands}
    print(json.dumps({**medians, "ratio": medians["report_seconds"] / medians["python_seconds"]}))


if __name__ == "__main__":
    main()
