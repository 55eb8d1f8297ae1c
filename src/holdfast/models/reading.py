"""Reading what somebody else wrote by transformers: it says nothing, and what it cannot read is one error of ours."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from transformers.utils import logging

from holdfast.errors import HoldfastError, ModelError


@contextmanager
def hushed() -> Generator[None]:
    """Keep transformers from its progress bars and reports: what matters of them is an error of ours."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


@contextmanager
def reading(what: str) -> Generator[None]:
    """The same, and whatever a broken file makes transformers raise is a ModelError.

    It checks little of what it reads, so that a wrong value may end as an error of any kind.

    Args:
        what: cannot be done then: "cannot WHAT: ...".

    Raises:
        ModelError: in place of any error that is not ours.
    """
    try:
        with hushed():
            yield
    except HoldfastError:
        raise
    except Exception as error:
        raise ModelError(f"cannot {what}: {first_sentence(error)}") from error


def an_object(value: Any, where: object) -> dict[str, Any]:
    """What is read from JSON, which has to be an object.

    Raises:
        ModelError: it is none.
    """
    if not isinstance(value, dict):
        raise ModelError(f"{where} holds no JSON object, but {type(value).__name__}: get it anew.")
    return value


def first_sentence(error: Exception) -> str:
    """Its first line, and what stands below it where that ends in a colon."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    first = lines[0]
    return f"{first} {lines[1]}" if first.endswith(":") and len(lines) > 1 else first
