"""ROUGE-1: how far an answer's words are those of a reference."""

import functools
from typing import Any

from holdfast.errors import ConfigError


def overlap(reference: str, answer: str) -> float:
    """The harmonic mean of the precision and the recall of an answer's words, in [0, 1].

    Source: Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries", by rouge-score, unstemmed. Its words
    are runs of a-z and 0-9 after lower-casing, so that it knows no other script.

    Raises:
        ConfigError: rouge-score is not installed.
    """
    return _scorer().score(reference, answer)["rouge1"].fmeasure


def overlap_if_any(reference: str, answer: str) -> float | None:
    """The same; None where there is no reference, or where rouge-score is not installed."""
    if not reference.strip():
        return None
    try:
        return overlap(reference, answer)
    except ConfigError:
        return None


@functools.cache
def _scorer() -> Any:
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError as error:
        raise ConfigError(f"ROUGE needs rouge-score ({error}): pip install 'holdfast[eval]'.") from error
    return RougeScorer(["rouge1"])
