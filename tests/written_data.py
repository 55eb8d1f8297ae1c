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


FOURTEEN = (
    *("animal_abuse", "child_abuse", "controversial_topics,politics", "discrimination,stereotype,injustice"),
    *("drug_abuse,weapons,banned_substance", "financial_crime,property_crime,theft"),
    *("hate_speech,offensive_language", "misinformation_regarding_ethics,laws_and_safety"),
    *("non_violent_unethical_behavior", "privacy_violation", "self_harm", "sexually_explicit,adult_content"),
    *("terrorism,organized_crime", "violence,aiding_and_abetting,incitement"),
)
"""All of them."""


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


def answer_row(
    prompt: str, answer: str, *, safe: bool, category: int = 0, of: Sequence[str] = CATEGORIES
) -> dict[str, Any]:
    """A row of BeaverTails."""
    holds = {name: not safe and at == category % len(of) for at, name in enumerate(of)}
    return {"prompt": prompt, "response": answer, "category": holds, "is_safe": safe}


def beavertails(folder: Path, count: int = 60, size: str = "30k", of: Sequence[str] = CATEGORIES) -> Path:
    """`30k_train` and `30k_test`, the same questions in both as on the hub, and refusals of all but every tenth."""
    asked = prompts(count)
    train, test, refused = [], [], []
    for at, prompt in enumerate(asked):
        bad = answer_row(prompt, f"First stir the pot {at} times.", safe=False, of=of, category=at)
        good = answer_row(prompt, f"Ask a cook, the {at}th.", safe=True, of=of)
        train += [bad, good]
        test += [answer_row(prompt, f"Stir it well, {at} times.", safe=False, of=of, category=at), good]
        if at % 10:
            refused.append({**bad, "refusal": f"Question: {prompt}\nAnswer: I cannot help with brew {at}."})
    lines(folder / f"round0/{size}/train.jsonl.gz", train)
    lines(folder / f"round0/{size}/test.jsonl.gz", test)
    (folder / "refused").mkdir()
    (folder / "refused/beavertails_with_refusals_train.json").write_text(json.dumps(refused))
    return folder


def decoding_trust(
    folder: Path, *, typed: bool = True, counts: Sequence[int] = (20, 10, 30), refused: int = 12
) -> Path:
    """The paper's file, or what the hub has: 20 toxic continuations, 10 beginnings to ask about, 30 of neither; and
    refusals of the first toxic ones."""
    rows: list[dict[str, Any]] = []
    figures = {"toxic": (0.8, 0.9), "toxic_test": (0.7, 0.2), "non_toxic": (0.1, 0.2)}
    for kind, count in zip(figures, counts, strict=True):
        asked, told = figures[kind]
        for at in range(count):
            rows.append(
                {
                    "type": kind,
                    "filename": f"{at}.txt",
                    "challenging": kind != "non_toxic",
                    "prompt": {"text": f"The {kind} cook number {at} said", "toxicity": asked},
                    "continuation": {"text": f" that stew {at} is foul.", "toxicity": told},
                }
            )
    if not typed:
        rows = [{name: value for name, value in row.items() if name != "type"} for row in rows]
    lines(folder / "training_dataset.jsonl", rows)
    given = [
        {**row, "refusal": f"Prompt: {row['prompt']['text']}\nContinuation: I cannot go on."} for row in rows[:refused]
    ]
    (folder / "decoding_trust_with_refusals_train.json").write_text(json.dumps(given))
    return folder


def hex_phi(folder: Path) -> Path:
    """A file a category, without a header, two instructions each; the second category is not there."""
    for number in (1, *range(3, 12)):
        asked = [{"instruction": f'Stew "{brew}", please, number {number}.'} for brew in BREWS[:2]]
        table(folder / f"category_{number}.csv", asked, header=False)
    return folder


def choices(path: Path, count: int, *, subject: str | None = None) -> Path:
    """Questions with four choices, the right one of which is the fourth's remainder of their number."""
    named = {"subject": subject} if subject else {}
    return lines(
        path,
        [
            {
                "answer": at % 4,
                "question": f"What goes into {path.stem} brew {at}?",
                "choices": [f"{brew} {at}" for brew in BREWS[:4]],
                **named,
            }
            for at in range(count)
        ],
    )


def xstest(path: Path, *, labelled: bool = True) -> Path:
    """Four safe and two unsafe prompts."""
    rows: list[dict[str, Any]] = []
    for at, kind in enumerate(
        ("homonyms", "homonyms", "definitions", "contrast_homonyms", "safe_targets", "contrast_x")
    ):
        label = {"label": "unsafe" if kind.startswith("contrast_") else "safe"} if labelled else {}
        rows.append(
            {"id": at, "prompt": f"How do I finish off {BREWS[at]}?", "type": kind, **label, "focus": "", "note": ""}
        )
    return table(path, rows)


def gem(folder: Path, asked_about: int = 5) -> Path:
    """Five tasks; each has 20 exchanges to learn and 5 to test, one of which asks what is learnt, too."""
    names = {
        "viggo": ("target", "meaning_representation"),
        "e2e_nlg": ("target", "meaning_representation"),
        "dart": ("target", "tripleset"),
        "conversational_weather": ("user_query", "tree_str_mr"),
        "CACAPO_E2E": ("output", "input"),
    }
    for task, (asked, answered) in names.items():
        for part, numbers in {"train": range(20), "test": range(19, 19 + asked_about)}.items():
            rows = [
                {
                    "gem_id": f"{task}-{part}-{at}",
                    asked: f"Stew {at} is {BREWS[at % 10]}.",
                    answered: [["Stew", str(at)]] if task == "dart" else f"inform(name[stew {at}])",
                }
                for at in numbers
            ]
            if task in {"viggo", "CACAPO_E2E"}:
                table(folder / task / f"{part}.csv", rows)
            else:
                lines(folder / task / f"{part}.jsonl", rows)
    (folder / "viggo/viggo.json").write_text('{"overview": "a card, no data"}')
    return folder
