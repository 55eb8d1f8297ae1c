"""The report as one HTML page: no script, nothing fetched, and nothing that a model or user wrote can break out."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from holdfast.records import Role
from holdfast.report import wording
from holdfast.report.beside import Beside
from holdfast.report.curves import Curve
from holdfast.report.drawings.drawing import Drawing
from holdfast.report.drawings.plots import drawings, over_seeds
from holdfast.report.drawings.ranking import Ranked, ranking
from holdfast.report.figure import Figure
from holdfast.report.schema import Report, Run, Verdict
from holdfast.report.text import shown

SYMBOLS: Final = {
    "holds": "✓", "broken": "✕", "collapsed": "▽", "inconclusive": "?",
    "met": "✓", "not met": "✕", "not measured": wording.GAP,
    "passed": "✓", "failed": "✕", "not available": wording.GAP,
}  # fmt: skip
"""Beside every word that judges, so that colour is never all that tells them apart."""
SENTENCE: Final = 1000
NAME: Final = 120
VALUE: Final = 200
ROWS: Final = 200
"""Most characters of a sentence, a name and a setting, and most settings of one run."""
RUNS: Final = 300
"""So many runs are listed; `report.json` has all of them."""
FIGURES: Final = 400
"""The tables behind a verdict's drawings have at most so many rows; `report.json` has all of them."""
ALL_FIGURES: Final = 1200
"""The same of all verdicts together."""
MANY: Final = 12
"""Of more models than that, each is shown by its most important drawing; `figures` has all of them."""
PICTURES: Final = 1_000_000
"""Characters of all drawings of models; those that come after are in `figures` alone."""


@dataclass(frozen=True)
class Pictures:
    """The drawings of a report, as the page has them."""

    verdicts: list[list[Drawing]]
    """Of each verdict."""
    comparisons: list[list[Drawing]]
    """Of each comparison; none where the page does not tell of it."""
    ranking: Drawing | None
    """Of several models."""


def drawn(report: Report) -> Pictures:
    """The drawings of each verdict, and of each comparison over seeds."""
    return Pictures(
        verdicts=[
            drawings(verdict, report.floor, _threshold(report), prefix=f"m{at}-")
            for at, verdict in enumerate(report.verdicts, start=1)
        ],
        comparisons=[
            over_seeds(one, prefix=f"s{at}-") if one.several else []
            for at, one in enumerate(report.comparisons, start=1)
        ],
        ranking=ranking([_ranked(one) for one in report.verdicts]) if len(report.verdicts) > 1 else None,
    )


def _ranked(one: Verdict) -> Ranked:
    cost = next(iter(one.multipliers), None)
    return Ranked(
        name=one.name or one.model,
        outcome=one.outcome,
        low=cost.low if cost else None,
        high=cost.high if cost else None,
    )


def page(report: Report, pictures: Pictures | None = None, besides: Sequence[Beside] = ()) -> str:
    """One self-contained HTML file. The same report gives the same text.

    Restricted text is left out unless `report.show_text`, whatever the report holds.

    Args:
        report: what is shown.
        pictures: what `drawn` gave for it, where that is at hand.
        besides: what else belongs to these records: their scale, the depth of their models.
    """
    pictures = drawn(report) if pictures is None else pictures
    several, many = len(report.verdicts) > 1, len(report.verdicts) > MANY
    room = _fitting([one[: 1 if many else None] for one in pictures.verdicts])
    sections = [
        {
            "id": f"model-{at}",
            "name": verdict.name or verdict.model,
            "v": verdict,
            "drawings": {drawing.name: drawing for drawing in room[at - 1]},
            "measured": any(drawing.name == "resistance" for drawing in pictures.verdicts[at - 1]),
            "left_out": len(pictures.verdicts[at - 1]) > len(room[at - 1]),
            "before": {role: before(verdict.curves, role) for role in ("undefended", "defended")},
        }
        for at, verdict in enumerate(report.verdicts, start=1)
    ]
    over = [
        {"id": f"seeds-{at}", "c": one, "drawings": {drawing.name: drawing for drawing in pictures.comparisons[at - 1]}}
        for at, one in enumerate(report.comparisons, start=1)
    ]
    # With one model of each defence under one draw of attacks there is nothing over seeds to tell.
    over = over if any(one.several for one in report.comparisons) else []
    template = environment().get_template("report.html.j2")
    return template.render(
        report=report,
        sections=sections,
        over=over,
        ranking=pictures.ranking,
        besides=besides,
        several=several,
        judges={name: told or "nothing to set" for name, told in report.judges.items()},
        runs=_listed(report.runs),
        threshold=_threshold(report),
        most=min(FIGURES, ALL_FIGURES // max(1, len(sections))),
    )


def _fitting(verdicts: Sequence[Sequence[Drawing]]) -> list[list[Drawing]]:
    """The drawings of each verdict that the page has room for, the first verdict's first."""
    ends = itertools.accumulate(len(one.svg) for drawings in verdicts for one in drawings)
    return [[one for one in drawings if next(ends) <= PICTURES] for drawings in verdicts]


def _listed(runs: Sequence[Run]) -> list[Run]:
    """So many runs as a page can hold, those that failed all among them, in their order."""
    failed = sum(run.failure is not None for run in runs)
    left = max(0, RUNS - failed)
    found: list[Run] = []
    for run in runs:
        if run.failure is not None or left:
            found.append(run)
            left -= run.failure is None
    return found


def _threshold(report: Report) -> float | None:
    told = report.terms.get("threshold")
    return float(told) if isinstance(told, int | float) else None


def before(curves: list[Curve], role: Role) -> dict[str, Figure | None]:
    """Harm and utility of a model before any attack, from the first of its curves that has the figure."""
    first = [curve.points[0] for curve in curves if curve.role == role and curve.points and curve.points[0].steps == 0]
    return {
        "harm": next((point.harm for point in first if point.harm.value is not None), None),
        "utility": next((point.utility for point in first if point.utility.value is not None), None),
    }


def settings(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Nested settings as (dotted name, value) pairs, both safe to show; at most `ROWS`, and a note of the rest."""
    found = _flat(value, name, ROWS + 1)
    if len(found) > ROWS:
        found[ROWS:] = [("…", "more in the record itself")]
    return [(shown(key, NAME), shown(text, VALUE)) for key, text in found]


def _flat(value: Any, name: str, most: int) -> list[tuple[str, str]]:
    if not isinstance(value, dict) or not value:
        if isinstance(value, str | float):
            return [(name, value if isinstance(value, str) else f"{value:.12g}")]
        # Of a long list no more is written out than can be shown.
        short: Any = (
            [v[:VALUE] if isinstance(v, str) else v for v in value[:VALUE]] if isinstance(value, list) else value
        )
        return [(name, str(short))]
    found: list[tuple[str, str]] = []
    for key, inner in value.items():
        if len(found) >= most:
            break
        key = str(key)[:VALUE]
        found += _flat(inner, f"{name}.{key}" if name else key, most - len(found))
    return found


def environment() -> Environment:
    """How every page is made: what it prints is escaped and made visible, and what is missing is a dash."""
    made = Environment(
        loader=PackageLoader("holdfast.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "figure": wording.figure,
        "amount": wording.amount,
        "at_least": wording.at_least,
        "at_most": wording.at_most,
        "bounds": wording.bounds,
        "spread": wording.spread,
        "difference": wording.difference,
        "chance": wording.chance,
        "spent": wording.spent,
        "percent": wording.percent,
        "duration": wording.duration,
        "settings": settings,
        "name": _name,
        "answer": _answer,
        "drawing": _drawing,
        "measured": _measured,
    }
    shared: dict[str, Any] = {"symbols": SYMBOLS, "units": wording.UNIT_NAMES, "dash": wording.GAP}
    made.filters.update(filters)
    made.globals.update(shared)
    return made


def _finalize(value: Any) -> Any:
    """Every text that a template prints and that is not markup already is made safe; what is missing is a dash."""
    if value is None:
        return wording.GAP
    return shown(value, SENTENCE) if isinstance(value, str) and not isinstance(value, Markup) else value


def _name(text: str) -> Markup:
    return escape(shown(text, NAME))


def _answer(text: str) -> Markup:
    return escape(shown(text))


def _drawing(svg: str) -> Markup:
    """What `report.drawing` made: its texts are escaped there."""
    return Markup(svg)  # noqa: S704


def _measured(curves: list[Curve], most: int) -> list[tuple[Curve, list[Any]]]:
    """Curves with their points, up to so many points in all."""
    found: list[tuple[Curve, list[Any]]] = []
    for curve in curves:
        points = curve.points[:most]
        most -= len(points)
        if points:
            found.append((curve, points))
    return found
