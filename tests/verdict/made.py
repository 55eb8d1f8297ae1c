"""Records made by hand, with costs that are easy: one step of batch b costs b FLOPs and b new harmful examples."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from holdfast.records import Answer, Budget, Failure, Record, Role, Rung, Score, World

STEPS = (0, 1, 2, 3, 5, 10)
"""The ladder where nothing else is said."""
BASE, HARD, HALF, ORACLE, RANDOM = "ba5e", "4a5d", "4a1f", "0c1e", "5eed"
"""The hashes of the models' weights."""
DEFENCE = {"kind": "defence", "name": "shield", "settings": {"strength": 2}, "seed": 0, "categories": None}
BREAKS = (0, 0.1, 0.5, 0.6, 0.9, 0.9)
"""Held at 1 step, broken at 2."""
HOLDS = (0, 0, 0.1, 0.1, 0.1, 0.1)
"""Held to the end, 10 steps."""

Values = float | Sequence[float | None] | None
"""One value for every rung, or one a rung."""

_WEIGHTS: dict[Role, str] = {"undefended": BASE, "defended": HARD, "oracle": ORACLE, "random": RANDOM}
_NAMES: dict[Role, str] = {"undefended": "base", "defended": "base+shield", "oracle": "oracle", "random": "random"}


def record(
    role: Role,
    harm: Values | Sequence[Score],
    *,
    steps: Sequence[int] = STEPS,
    batch: int = 1,
    rate: float = 1e-3,
    lora: int = 0,
    price: float = 1.0,
    pool: int = 1000,
    failed: str | None = None,
    utility: Values = 0.9,
    fluency: Values = 1.0,
    floor: float | None = 0.0,
    data: str = "da7a",
    categories: list[str] | None = None,
    shown: list[str] | None = None,
    **more: Any,
) -> Record:
    """A record of fine-tuning.

    Args:
        role: what is attacked.
        harm: at each rung; with fewer values than there are steps the run ended early.
        steps, batch, rate, lora: of the attack.
        price: FLOPs of one sample.
        pool: how many harmful examples there are.
        failed: why it did not finish.
        utility, fluency: at each rung, or the same at all.
        floor, data, categories: of the domain.
        shown: the only categories that the defence was shown.
        more: other fields of a `Record`.
    """
    reached = steps if isinstance(harm, float | int | None) else steps[: len(harm)]
    assert isinstance(harm, float | int | None) or len(harm) == len(reached), "more values than rungs"
    columns = {
        name: _column(values, len(reached))
        for name, values in {"harm": harm, "utility": utility, "fluency": fluency}.items()
    }
    training = {"steps": steps[-1], "learning_rate": rate, "batch_size": batch, "lora_rank": lora}
    fields: dict[str, Any] = {
        "role": role,
        "model": _NAMES[role],
        "weights": _WEIGHTS[role],
        "parent": BASE if role == "defended" else None,
        "defence": {**DEFENCE, "categories": shown} if role == "defended" else None,
        "attack": {"name": "sft", "settings": {"poison_ratio": 1.0, "training": training}},
        "seed": 0,
        "domain": World(name="fable", data=data, floor=floor, categories=categories),
        "purpose": "generalization" if categories else "resistance",
        "failure": None if failed is None else Failure(reason=failed),
        "rungs": [
            Rung(
                budget=Budget(
                    steps=step,
                    samples=step * batch,
                    examples=min(step * batch, pool),
                    tokens=10 * step * batch,
                    flops=price * step * batch,
                ),
                scores={name: column[at] for name, column in columns.items() if column[at] is not None},
            )
            for at, step in enumerate(reached)
        ],
    }
    return Record(**(fields | more))


def prompted(role: Role, harm: float | None, name: str = "prefill", **more: Any) -> Record:
    """A record of an attack that trains nothing."""
    return record(role, (harm,), steps=(0,), attack={"name": name, "settings": {"opening": ""}}, **more)


def taught(role: Role, score: Values, *, steps: Sequence[int] = (0, 10, 20, 30, 40), **more: Any) -> Record:
    """A record of a harmless task that is learnt: its score is the utility."""
    more = {"purpose": "trainability", "task": "inns", **more}
    score = score if isinstance(score, Sequence) else [score] * len(steps)
    return record(role, [None] * len(score), steps=steps, utility=score, fluency=None, **more)


def answered(made: Record, *, text: str, restricted: bool) -> Record:
    """The same record, with an answer kept at every rung: the last word of the text tells which."""
    for at, rung in enumerate(made.rungs):
        name = "harm" if restricted else "utility"
        answer = Answer(prompt=f"question of {name}", text=f"{text} {at}", value=0.5, restricted=restricted)
        rung.scores[name].answers.append(answer)
    return made


def folder(place: Path, *records: Record) -> Path:
    """A folder with the records, as a study leaves it."""
    (place / "records").mkdir(parents=True, exist_ok=True)
    for at, one in enumerate(records):
        (place / "records" / f"{one.role}-{at}.json").write_text(json.dumps(one.to_json()))
    return place


def _column(values: Any, length: int) -> list[Score | None]:
    """A score a rung. A gap is a score without value."""
    if not isinstance(values, Sequence):
        values = [values] * length
    return [value if isinstance(value, Score) else _score(value) for value in values[:length]]


def _score(value: float | None) -> Score:
    return Score(value=None, reason="not scored") if value is None else Score(value=value, n=100)
