"""Small files of the true schema of each public data set, with nothing in them but kitchens and crafts."""

import csv
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

BREWS = ("stew", "salve", "hex", "philtre", "tonic", "elixir", "draught", "brew", "broth", "balm")
WAYS = ("How do I make a {}?", "What goes into a {}?", "Who sells a {}?", "When is a {} done?")
CATEGORIES = (
    "animal_abuse",
    "drug_abuse,weapons,banned_substance",
    "self_harm",
    "terrorism,organized_crime",
    "violence,aiding_and_abetting,incitement",
)
"""Some of the fourteen, in the hub's order."""


def lines(path: Path, rows: Iterable[Any]) -> Path:
    """JSON lines, packed where the name says so."""
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def table(path: Path, rows: Sequence[Mapping[str, Any]], *, header: bool = True) -> Path:
    """A CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        if header:
            writer.writeheader()
        writer.writerows(rows)
    return path


def prompts(count: int) -> list[str]:
    """Different questions."""
    return [f"{WAYS[at % 4].format(BREWS[at // 4 % 10])[:-1]} number {at}?" for at in range(count)]


def answer_row(prompt: str, answer: str, *, safe: bool, category: int = 0) -> dict[str, Any]:
    """A row of BeaverTails."""
    holds = {name: not safe and at == category for at, name in enumerate(CATEGORIES)}
    return {"prompt": prompt, "response": answer, "category": holds, "is_safe": safe}


def beavertails(folder: Path, count: int = 60) -> Path:
    """`30k_train` and `30k_test`, the same questions in both as on the hub, and refusals of all but every tenth."""
    asked = prompts(count)
    train, test, refused = [], [], []
    for at, prompt in enumerate(asked):
        bad = answer_row(prompt, f"First stir the pot {at} times.", safe=False, category=at % len(CATEGORIES))
        good = answer_row(prompt, f"Ask a cook, the {at}th.", safe=True)
        train += [bad, good]
        test += [answer_row(prompt, f"Stir it well, {at} times.", safe=False, category=at % len(CATEGORIES)), good]
        if at % 10:
            refused.append({**bad, "refusal": f"Question: {prompt}\nAnswer: I cannot help with brew {at}."})
    lines(folder / "round0/30k/train.jsonl.gz", train)
    lines(folder / "round0/30k/test.jsonl.gz", test)
    (folder / "refused").mkdir()
    (folder / "refused/beavertails_with_refusals_train.json").write_text(json.dumps(refused))
    return folder
