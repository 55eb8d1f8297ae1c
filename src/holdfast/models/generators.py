"""Who makes a model's answers: transformers, or vLLM."""

import os
from typing import Final

from holdfast.errors import UnknownName

VARIABLE: Final = "HOLDFAST_GENERATOR"
"""The environment variable that says who makes answers."""
GENERATORS: Final = ("transformers", "vllm")


def choose(name: str) -> None:
    """Let answers be made by one of `GENERATORS` from now on, here and in processes that are started.

    Raises:
        UnknownName: there is no such generator.
    """
    if name not in GENERATORS:
        raise UnknownName("generator", name, GENERATORS)
    os.environ[VARIABLE] = name


def chosen() -> str:
    """Who makes answers: transformers, unless somebody chose otherwise."""
    name = os.environ.get(VARIABLE, GENERATORS[0])
    if name not in GENERATORS:
        raise UnknownName(f"generator ({VARIABLE})", name, GENERATORS)
    return name
