"""Strings that want to break out of a page, and a report in which there is nothing else."""

import dataclasses
import itertools
from typing import Any

from holdfast.report.schema import Condition, Control, Report

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><script>alert(2)</script>",
    "{{7*7}}{% raw %}",
    "\u202egnirts desrever\u202c \u2066\u200b\ufeff\u061c",
    "nul \x00 esc \x1b[31m bell \x07 del \x7f c1 \x9b \ud800 \ufffe",
    "javascript:alert(1)",
    "`code` | pipe\n# heading\n<!-- holdfast:verdict --> [a](javascript:alert(1)) https://evil.example",
    "]]></title></svg><iframe src=//evil.example>",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324 $x^2$ \\frac ' & &amp; 漢字 עברית",
    "x" * 1_000_000,
)

_FIXED = {"role", "status", "outcome", "unit", "purpose", "schema", "measure", "over"}


def replaced(report: Report) -> Report:
    """The same report with every free string replaced, in turn, by a hostile one."""
    turn = itertools.cycle(HOSTILE)

    def other(value: Any) -> Any:
        if isinstance(value, str):
            return next(turn)
        if isinstance(value, list):
            return [other(item) for item in value]
        if isinstance(value, dict):
            return {other(key): other(item) for key, item in value.items()} | {"threshold": 0.3}
        if dataclasses.is_dataclass(value):
            fixed = _FIXED | ({"name"} if isinstance(value, (Condition, Control)) else set())
            fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
            return type(value)(**{k: v if k in fixed else other(v) for k, v in fields.items()})  # type: ignore[misc]
        return value

    return other(report)
