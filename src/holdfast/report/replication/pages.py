"""A replication as JSON, as Markdown and as one HTML page. Nothing that a user or a model wrote can break out of it."""

import json
from dataclasses import asdict

from jinja2 import Environment, PackageLoader, StrictUndefined

from holdfast.report.card import marked
from holdfast.report.page import environment
from holdfast.report.replication.replicated import NEAR, Entry, Replicated
from holdfast.report.wording import GAP


def to_json(found: Replicated) -> str:
    """All of it as JSON."""
    return json.dumps(asdict(found), indent=2) + "\n"


def markdown(found: Replicated) -> str:
    """The tables as Markdown, each cell `published / measured`."""
    made = Environment(
        loader=PackageLoader("holdfast.report"),
        autoescape=False,  # noqa: S701 - it is Markdown, which `marked` keeps in its place
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"figure": figure, "spread": spread, "marked": marked}
    return made.get_template("replication.md.j2").render(found=found, near=NEAR)


def page(found: Replicated) -> str:
    """The tables as one self-contained HTML file without script."""
    made = environment()
    made.filters |= {"digits": figure, "over_seeds": spread}
    return made.get_template("replication.html.j2").render(found=found, near=NEAR)


def figure(value: float | None) -> str:
    """A figure as papers write it: .47, 1.00, and a dash where there is none."""
    if value is None:
        return GAP
    text = f"{value:.2f}"
    return text.removeprefix("0") if 0 <= value < 1 else text


def spread(entry: Entry) -> str:
    """The interval over seeds, where there is one."""
    return "" if entry.low is None else f" [{figure(entry.low)}, {figure(entry.high)}]"
