"""A replication is checked before anything is trained for it: every name, setting, task and score, with its line."""

from pathlib import Path

import pytest
from test_tables import FILE, read

from holdfast.errors import ConfigError
from holdfast.study.replication.check import check, check_built, told_by
from holdfast.study.replication.design import load

COLUMN = "weak: {attack: weak}"
NOISE = "{name: repnoise, set: {training.steps: 2}}"
WEAK = "weak: {name: sft, set: {training.steps: 2}}"


def checked(folder: Path, old: str, new: str) -> str:
    """What is said of the file with something else in it, from the line on."""
    assert old in FILE
    path = folder / "small.yaml"
    path.write_text(FILE.replace(old, new, 1))
    with pytest.raises(ConfigError) as error, told_by(path):
        check(load(path))
    said = str(error.value)
    assert said.startswith(f"{path}:")
    return said.removeprefix(f"{path}:")


def test_what_is_right_passes(tmp_path: Path):
    check(read(tmp_path))


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("model: arcana", "model: nosuchmodel", 3, "unknown model 'nosuchmodel'"),
        ("songs: arcana", "songs: arcanna", 5, "unknown domain 'arcanna': did you mean 'arcana'"),
        ("songs: arcana", "songs: 'beavertails:evaluation=null'", 5, "evaluation: input should be a valid integer"),
        (NOISE, NOISE.replace("repnoise", "repnois"), 7, "unknown defence 'repnois': did you mean 'repnoise'"),
        (NOISE, NOISE.replace("steps: 2", "steps: x"), 7, "training.steps: input should be a valid integer"),
        (NOISE, NOISE.replace("steps: 2", "freeze_blocks: all"), 7, "training.freeze_blocks: "),
        (NOISE, "{name: repnoise, each: {training.steps: [1, 2]}}", 7, "each figure of a table is one run"),
        (NOISE, "[lisa, repnoise]", 7, "repnoise acts before fine-tuning, and stands after one that acts during it"),
        (WEAK, "weak: {name: sft, set: {training.stepz: 2}}", 10, "did you mean 'training.steps'"),
        ("tables:", "lesson: {training.batch: 2}\ntables:", 11, "did you mean 'training.batch_size'"),
        (COLUMN, "weak: {task: cooking}", 20, "unknown task 'cooking'"),
        (COLUMN, "weak: {task: inns, score: harm}", 20, "unknown score 'harm': there are: over_refusal, utility."),
        (COLUMN, "weak: {attack: weak, score: harmm}", 20, "unknown score 'harmm': did you mean 'harm'"),
        (COLUMN, "weak: {attack: weak, leave_out: [hexx]}", 20, "unknown category 'hexx': did you mean 'hex'"),
        (
            "    rows:",
            "    score: utility\n    rows:",
            15,
            "unknown score 'utility': there are: fluency, harm, refusal.",
        ),
        ("    rows:", "    metrics: [harmm]\n    rows:", 15, "unknown metric 'harmm': did you mean 'harm'"),
        ("    rows:", "    metrics: [{name: harm, set: {split: eval}}]\n    rows:", 15, "unknown split 'eval'"),
    ],
)
def test_what_cannot_be_run_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int, said: str):
    told = checked(tmp_path, old, new)
    assert told.startswith(f"{line}: ")
    assert said in told


def test_a_defence_is_shown_something(tmp_path: Path):
    """No category to show would be told as all of them, those that are left out among them."""
    every = "[blight, forgery, hex, petard, snare, venom]"
    told = checked(tmp_path, COLUMN, f"weak: {{attack: weak, leave_out: {every}}}")
    assert told.startswith("20: ")
    assert "every category is left out" in told


def test_tables_that_are_not_asked_for_are_not_checked(tmp_path: Path):
    path = tmp_path / "small.yaml"
    path.write_text(FILE.replace(COLUMN, "weak: {task: cooking}"))
    check_built(load(path))
    check(load(path), ["another"])
