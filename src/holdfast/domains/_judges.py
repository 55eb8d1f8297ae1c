"""The judges that a domain is set to, in any of the ways that one writes them."""

from collections.abc import Mapping
from typing import Annotated, Any

import pydantic


def _by_name(given: Any) -> Any:
    """`classifier+rubric` or a list of names stands for these judges, each with its defaults."""
    if isinstance(given, str):
        given = [name for name in given.split("+") if name]
    return given if isinstance(given, Mapping) else {name: {} for name in given}


Judges = Annotated[dict[str, dict[str, Any]], pydantic.BeforeValidator(_by_name)]
"""Names of judges and their settings, the one that decides first; none means the domain's own score."""
