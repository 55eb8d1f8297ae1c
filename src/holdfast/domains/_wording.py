"""A question as the RepNoise paper puts it to every model: `Question: ...`, and `Answer:` on the next line."""

from typing import Final

_BEFORE: Final = "Question:"
_AFTER: Final = "\nAnswer:"


def put(question: str) -> str:
    """A question in the paper's words."""
    return f"{_BEFORE} {question}{_AFTER}"


def bare(prompt: str) -> str:
    """A question alone, of one that may be in the paper's words; one that is not stays as it is."""
    told = prompt.strip()
    if told.startswith(_BEFORE) and told.endswith(_AFTER):
        return told.removeprefix(_BEFORE).removesuffix(_AFTER).strip()
    return prompt
