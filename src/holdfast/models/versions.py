"""The versions that a result hangs on."""

import functools
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
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
    """Of Holdfast, what it computes with, and what plug-ins at work name in `PACKAGES`, and of who answers."""
    named = {package for part in parts for package in getattr(part, "PACKAGES", ())} | {chosen()}
    named |= {"liger-kernel"} if find_spec("liger_kernel") else set()  # training takes it where it is
    found = (*_WRITTEN_WITH, *sorted(named - {*_WRITTEN_WITH}))
    return {package: _version(package) for package in found}
