"""How long an index over 1,000 records takes to make, how large it is, and how long a browser takes to open it.

Ten studies of one undefended model, an oracle and three hardened ones under twenty attacks of six rungs each, made up.

    python benchmarks/index.py

The last line is one JSON object. Under 5 s to make and under 1 s to open is asked; `open_seconds` is the time by which
headless Chromium, where there is one, says that the page has loaded.
"""

import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from holdfast.records import Budget, Record, Role, Rung, Score, World
from holdfast.report.index.collect import collect
from holdfast.report.index.page import page

STUDIES, ATTACKS, STEPS = 10, 20, (0, 1, 3, 10, 30, 100)
MODELS: dict[str, Role] = {
    "base": "undefended", "oracle": "oracle", "first": "defended", "second": "defended", "third": "defended",
}  # fmt: skip


def record(model: str, role: Role, attack: int) -> Record:
    durable = list(MODELS).index(model)
    harms = [0.0 if role == "oracle" else max(0.0, 1 - 2.0 ** (-step / (1 + durable * (attack + 1)))) for step in STEPS]
    rungs = [
        Rung(
            budget=Budget(steps=step, samples=step, examples=step, tokens=10 * step, flops=1e6 * step),
            scores={
                "harm": Score(value=harm, n=144, low=max(0, harm - 0.05), high=min(1, harm + 0.05)),
                "utility": Score(value=0.95, n=72),
                "fluency": Score(value=1.0, n=144),
            },
        )
        for step, harm in zip(STEPS, harms, strict=True)
    ]
    hardened = {"name": model, "settings": {}, "seed": 0} if role == "defended" else None
    training = {"steps": STEPS[-1], "learning_rate": 1e-5 * (attack + 1), "batch_size": 1, "lora_rank": 0}
    return Record(
        role=role, model=f"base+{model}" if hardened else model, weights=model, parent="base" if hardened else None,
        defence=hardened, attack={"name": "sft", "settings": {"training": training}}, seed=0,
        domain=World(name="made up", data="da7a", floor=0.0), rungs=rungs,
    )  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        folders = [Path(made, f"study-{number}") for number in range(STUDIES)]
        for folder in folders:
            (folder / "records").mkdir(parents=True)
            for model, role in MODELS.items():
                for attack in range(ATTACKS):
                    place = folder / "records" / f"{model}-{attack}.json"
                    place.write_text(json.dumps(record(model, role, attack).to_json()))
        output = Path(made, "index.html")
        begin = time.perf_counter()
        output.write_text(page(collect(folders, output)))
        figures: dict[str, float] = {
            "records": STUDIES * len(MODELS) * ATTACKS,
            "make_seconds": time.perf_counter() - begin,
            "megabytes": output.stat().st_size / 1e6,
        }
        browser = shutil.which("chromium") or shutil.which("google-chrome")
        if browser:
            timed = Path(made, "timed.html")
            # The page's own policy lets no other script run: without it one can say how long loading took.
            text = output.read_text()
            begin_of, end_of = text.index("<meta http-equiv"), text.index("\n", text.index("<meta http-equiv"))
            told = "<script>onload = () => { document.title = performance.now() }</script>"
            timed.write_text(text[:begin_of] + told + text[end_of:])
            shown = subprocess.run(
                [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", timed.as_uri()],
                capture_output=True, text=True, check=True,
            ).stdout  # fmt: skip
            figures["open_seconds"] = float(shown.split("<title>")[1].split("</title>")[0]) / 1000
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
