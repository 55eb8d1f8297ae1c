"""The versions that a result hangs on."""

import functools
from importlib.metadata import version
from typing import Final

_WRITTEN_WITH: Final = ("holdfast", "torch", "transformers", "tokenizers", "peft", "numpy")


@functools.cache
def _version(package: str) -> str:
    return version(package)


def versions() -> dict[str, str]:
    """Of Holdfast and what it computes with."""
    return {package: _version(package) for package in _WRITTEN_WITH}
