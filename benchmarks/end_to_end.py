"""What a 0.5B model takes from end to end on a CPU: harden, attack, audit, with the most memory of all processes.

The model has the shape of Qwen2's 0.5B (width 896, 24 blocks, vocabulary 151,936, tied; 494 M weights) and random
weights, held and trained in float32. The data are a few of arcana's questions as a user's own JSON lines, judged by the
judge `phrases`. All commands are the user's own; of the audit's suite every family of the tier `quick` is there, once
and with one step, since memory does not hang on steps.

    python benchmarks/end_to_end.py

Prints one JSON object: seconds and bytes of each command. At most 16 GB is asked.
"""

import json
import sys
import tempfile
from pathlib import Path

from audit import watched
from holdfast.domains.arcana import Arcana
from plan_memory import written

FEW = 4
SHORT = """
import dataclasses, sys
from holdfast import plugins
from holdfast.cli.main import main
from holdfast.config import fields
from holdfast.study import audit
from holdfast.study.methods import Method
from holdfast.study.suites.standard import STANDARD

ONE = {"training.steps": 1, "training.batch_size": 4, "training.warmup": 0, "texts": 4, "sampling.samples": 4}
def short(one):
    there = fields(plugins.find("attacks", plugins.without_preset(one.attack.name)))
    few = {name: value for name, value in ONE.items() if name in there}
    return dataclasses.replace(one, attack=Method(name=one.attack.name, set={**one.attack.variants()[0], **few}))

families = {plugins.without_preset(one.attack.name): short(one) for one in reversed(STANDARD.of("quick"))}
audit.planned.__kwdefaults__["suite"] = dataclasses.replace(STANDARD, attempts=tuple(families.values()))
if __name__ == "__main__":
    main()
"""
HOLDFAST = "from holdfast.cli.main import main\nif __name__ == '__main__': main()"


def lines(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def data(folder: Path) -> Path:
    """A few of arcana's questions as somebody's own data."""
    folder.mkdir()
    domain = Arcana()
    for split in ("defence", "attack", "evaluation"):
        pairs = domain.pairs(split)[:FEW]
        rows = [{"prompt": one.prompt, "harmful": one.harmful, "refusal": one.refusal} for one in pairs]
        lines(folder / f"{split}.jsonl", rows)
    for split in ("retain", "benign", "permitted"):
        lines(
            folder / f"{split}.jsonl",
            [{"prompt": one.prompt, "answer": one.answer} for one in domain.exchanges(split)[:FEW]],
        )
    return folder


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        written("qwen", folder / "model")
        own = f"{data(folder / 'own')}:max_new_tokens=16"
        few = ["--domain", own, "-s", "training.steps=2", "-s", "training.batch_size=4"]
        commands = {
            "harden": [HOLDFAST, "harden", str(folder / "model"), "repnoise", "-o", str(folder / "hardened"), *few],
            "attack": [
                HOLDFAST,
                "attack",
                str(folder / "hardened"),
                "sft",
                "-o",
                str(folder / "attacked"),
                "--judge",
                "phrases",
                *few,
            ],
            "audit": [SHORT, "audit", str(folder / "hardened"), "--base", str(folder / "model"), "--workers", "1"],
        }
        commands["audit"] += ["--domain", own, "--judge", "phrases", "-o", str(folder / "audit")]
        figures = {}
        for name, (script, *arguments) in commands.items():
            code, seconds, most = watched([sys.executable, "-c", script, *arguments])
            assert code in {0, 1, 3}, f"{name} failed"
            figures[name] = {"code": code, "seconds": round(seconds), "gigabytes": round(most / 1e9, 2)}
            print(name, json.dumps(figures[name]), file=sys.stderr)
        records = [json.loads(path.read_text()) for path in (folder / "audit" / "records").glob("*.json")]
        assert records, "nothing was audited"
        figures["audit"] |= {"runs": len(records), "failed": sum(bool(one.get("failure")) for one in records)}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
