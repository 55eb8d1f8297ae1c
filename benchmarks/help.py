"""How long `holdfast --help` takes, beside a bare start of Python.

    python benchmarks/help.py

Runs in turn; medians. The last line is one JSON object.
"""

import json
import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python_seconds": [sys.executable, "-c", "pass"],
    "help_seconds": [sys.executable, "-c", "from holdfast.cli.main import main; main()", "--help"],
}


def seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begun


def main() -> None:
    runs = [{name: seconds(command) for name, command in COMMANDS.items()} for _ in range(11)][1:]
    medians = {name: statistics.median(run[name] for run in runs) for name in COMMANDS}
    print(json.dumps({**medians, "ratio": medians["help_seconds"] / medians["python_seconds"]}))


if __name__ == "__main__":
    main()
