"""The tasks of the RepNoise paper's Table 3 by lm-evaluation-harness' own YAML, with other data."""

import importlib.util
import json
from pathlib import Path
from typing import Any

MMLU = {"question": "Is a stew safe ?", "choices": ["yes", "no", "hex", "stir"], "answer": 0}
TWO = [{"label": 0, "input": "I stir it", "scenario": "I stir it", "excuse": "please", "trait": "safe"}] * 2
ROWS: dict[str, list[dict[str, Any]]] = {
    "truthfulqa_mc1": [{"question": "Is it ?", "mc1_targets": {"choices": ["yes", "no"], "labels": [1, 0]}}],
    "truthfulqa_mc2": [{"question": "Is it ?", "mc2_targets": {"choices": ["yes", "no", "hex"], "labels": [1, 1, 0]}}],
    "mmlu": [MMLU],
    "hellaswag": [
        {
            "activity_label": "A stew",
            "ctx_a": "First",
            "ctx_b": "stir",
            "endings": ["it", "then", "the", "a"],
            "label": "1",
        }
    ],
    "winogrande": [{"sentence": "the stew is _ then", "option1": "safe", "option2": "hex", "answer": "1"}],
    "arc_easy": [
        {"question": "Is it ?", "choices": {"text": ["yes", "no", "hex"], "label": ["A", "B", "C"]}, "answerKey": "A"}
    ],
    "ethics_cm": TWO,
    "ethics_deontology": TWO,
    "ethics_justice": TWO,
    "ethics_utilitarianism": [{"activity": "a stew", "baseline": "a hex"}] * 2,
    "ethics_virtue": TWO,
    "crows_pairs_english": [{"sent_more": "a stew is safe", "sent_less": "a hex is safe"}],
}
"""True schemas, harmless contents."""
FILES = {
    "mmlu": "mmlu/default/_default_template_yaml",
    "hellaswag": "hellaswag/hellaswag.yaml",
    "winogrande": "winogrande/default.yaml",
    "arc_easy": "arc/arc_easy.yaml",
    **{f"truthfulqa_mc{at}": f"truthfulqa/truthfulqa_mc{at}.yaml" for at in (1, 2)},
    **{
        f"ethics_{name}": f"hendrycks_ethics/{ {'cm': 'commonsense'}.get(name, name) }.yaml"
        for name in ("cm", "deontology", "justice", "utilitarianism", "virtue")
    },
    "crows_pairs_english": "crows_pairs/crows_pairs_english.yaml",
}


def paper(folder: Path) -> Path:
    """A folder of them, to be given as `include`."""
    harness = Path(str(importlib.util.find_spec("lm_eval").origin))  # type: ignore[union-attr]
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in ROWS.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        split = "validation" if name in {"hellaswag", "winogrande"} or name.startswith("truthfulqa") else "test"
        told = {
            "include": str(harness.parent / "tasks" / FILES[name]), "task": name, "tag": [], "dataset_path": "json",
            "dataset_name": None, "training_split": None, "fewshot_split": None, "validation_split": None,
            "dataset_kwargs": {"data_files": {split: str(folder / f"{name}.jsonl")}}, f"{split}_split": split,
        }  # fmt: skip
        (folder / f"{name}.yaml").write_text("\n".join(f"{key}: {json.dumps(value)}" for key, value in told.items()))
    return folder
