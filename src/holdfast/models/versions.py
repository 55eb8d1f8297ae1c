"""The versions that a result hangs on."""

import functools
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from holdfast.models.generators import chosen

_WRITTEN_WITH: Final = ("holdfast", "torch", "transformers", "tokenizers", "peft", "numpy")


@functools.cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def versions(*parts: Any) -> dict[str, str]:
    """Of Holdfast, what it computes with, what plug-ins at work name in a class attribute `PACKAGES`, who answers."""
    named = {package for part in parts for package in getattr(part, "PACKAGES", ())} | {chosen()}
    return {package: _version(package) for package in (*_WRITTEN_WITH, *sorted(named - {*_WRITTEN_WITH}))}
