"""What one who guesses would reach at a task, told before it is asked; by this, each question has a right choice."""

from collections.abc import Sequence
from numbers import Real
from typing import Any, Final

from holdfast.errors import DataError
from holdfast.metrics._harness.hush import line

_NUDGE: Final = 1e-6
"""Nats by which a guesser prefers one choice: enough to choose it, too little to count as knowing."""
_ALONE: Final = "acc_mutual_info"
"""A metric of the harness for which each choice is also read without its question, whatever else a task measures."""
_CHOSEN: Final = {"acc", "acc_norm", "acc_bytes", _ALONE}
"""Metrics of the harness by which whoever takes the right choice is right."""


def guessed(task: Any, docs: Sequence[Any], metric: str) -> float:
    """What one would reach who takes each choice in turn and knows nothing; 0 where nothing is chosen from.

    Also 0 where the metric gives a question no number of its own.

    Raises:
        DataError: a question has no choices, or none that is right; the message has its number, from 1.
    """
    if task.OUTPUT_TYPE != "multiple_choice":
        return 0.0
    each = [_each(task, doc, metric, f"question {at} of the task {task.task_name}") for at, doc in enumerate(docs, 1)]
    return sum(each) / len(each)


def _each(task: Any, doc: Any, metric: str, which: str) -> float:
    try:  # templates, data and code that come with a task: they may raise anything
        choices = task.doc_to_choice(doc) or []
        scores = [task.process_results(doc, _taken(task, at, len(choices))).get(metric) for at in range(len(choices))]
    except Exception as error:
        raise DataError(
            f"{which} cannot be scored: {line(error)}; mend it, or doc_to_choice, or doc_to_target."
        ) from error
    if not scores:
        raise DataError(f"{which} has no choices: give it some, or mend doc_to_choice.")
    if not all(isinstance(score, Real) for score in scores):
        return 0.0
    if metric in _CHOSEN and not any(scores) and task.get_config("process_results") is None:
        raise DataError(
            f"{which} has no right choice: what doc_to_target gives is none of its {len(scores)}; expected the number "
            "of one, from 0, or its text."
        )
    return sum(map(float, scores)) / len(scores)


def _taken(task: Any, choice: int, count: int) -> list[tuple[float, bool]]:
    """What the harness would have of one who takes one choice: how likely each is, and whether nothing is likelier."""
    found = [(0.0 if at == choice else -_NUDGE, False) for at in range(count)]
    return [*found, *[(0.0, False)] * count] if _ALONE in task.higher_is_better() else found
