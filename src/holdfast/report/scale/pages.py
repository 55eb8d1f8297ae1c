"""The scale of defences and attacks as JSON, as Markdown with a drawing, and as lines for a terminal."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from holdfast.files import write_text
from holdfast.report.card import marked
from holdfast.report.drawings.heat import heat
from holdfast.report.drawings.scale import drawing
from holdfast.report.league.cells import table
from holdfast.report.scale.found import Durability, Durable, Strong
from holdfast.report.scale.onto import Onto
from holdfast.report.text import shown
from holdfast.report.wording import GAP

DATA: Final = "scale.json"
PAGE: Final = "scale.md"
PICTURE: Final = "scale.svg"
CELLS: Final = "cells.svg"
PLACED: Final = "placed.json"
_NAME: Final = 120
_SHORT: Final = 44
"""Most characters of a name on the page, and in a terminal."""


def to_json(found: Durability | Onto) -> str:
    """All of it as JSON."""
    return json.dumps(asdict(found), indent=1)


def write(found: Durability, folder: Path) -> list[Path]:
    """Write `scale.json`, `scale.md`, `scale.svg` and `cells.svg`.

    Raises:
        OutputError: a file cannot be written.
    """
    files = {
        folder / DATA: to_json(found),
        folder / PICTURE: drawing(found).svg,
        folder / CELLS: heat(found.cells, *_order(found)).svg,
        folder / PAGE: markdown(found),
    }
    for path, text in files.items():
        write_text(path, text + "\n")
    return [*files]


def lines(found: Durability) -> list[str]:
    """What a terminal shows."""
    told = [_about(found), "", *_columns(found.models, found.attacks), "", _fit(found)]
    told += [f"Run next: {shown(one.attack, 60)} on {shown(one.model, 60)}" for one in found.next[:3]]
    return told


def placed(found: Onto) -> list[str]:
    """What a terminal shows of models and attacks that were put on a scale."""
    apart = [f"Met nothing that has a place on it: {shown(name, _NAME)}" for name in found.apart]
    return [*_columns(found.models, found.attacks), *apart]


def write_placed(found: Onto, folder: Path) -> Path:
    """Write `placed.json`.

    Raises:
        OutputError: it cannot be written.
    """
    write_text(folder / PLACED, to_json(found) + "\n")
    return folder / PLACED


def markdown(found: Durability) -> str:
    """The page, without its drawing's data. Nothing that a user or a model wrote can break out of it."""
    models = [[marked(one.model, _NAME), one.role, _durability(one), str(one.cells)] for one in found.models]
    attacks = [[marked(one.attack, _NAME), _strength(one), _slope(one), str(one.cells)] for one in found.attacks]
    soon = [
        [marked(one.model, _NAME), marked(one.attack, _NAME), f"{one.expected:.2f}", f"{one.information:.2f}"]
        for one in found.next
    ]
    parts = [
        "# Defences and attacks on one scale",
        f"{marked(_about(found), 600)}",
        f"![Every model and every attack on the scale]({PICTURE})",
        "## Durability",
        table(("model", "role", "durability [95 %]", "cells"), models),
        "## Strength",
        table(("attack", "strength [95 %]", "slope [95 %]", "cells"), attacks),
        "## Every cell",
        f"![Success of every attack on every model]({CELLS})",
        "## How well it fits",
        _fit(found),
    ]
    if found.apart:
        parts.append(
            "No chain of cells joins these to the rest: " + ", ".join(marked(one, _NAME) for one in found.apart)
        )
    if soon:
        parts += ["## What to run next", table(("model", "attack", "success expected", "nats"), soon)]
    return "\n\n".join(parts)


def _columns(models: Sequence[Durable], attacks: Sequence[Strong]) -> list[str]:
    rows = [("model", "durability"), *((one.model, _durability(one)) for one in models)] if models else []
    if attacks:
        rows += [("", "")] if rows else []
        rows += [("attack", "strength; slope"), *((one.attack, f"{_strength(one)}; {_slope(one)}") for one in attacks)]
    width = max((len(shown(name, _SHORT)) for name, _ in rows), default=0)
    return [f"{shown(name, _SHORT):{width}}  {told}".rstrip() for name, told in rows]


def _order(found: Durability) -> tuple[list[str], list[str]]:
    """Models and attacks as on the scale, and those apart from it after them."""
    models, attacks = ([one.model for one in found.models], [one.attack for one in found.attacks])
    models += [cell.model for cell in found.cells if cell.model in found.apart]
    attacks += [cell.attack for cell in found.cells if cell.attack in found.apart]
    return list(dict.fromkeys(models)), list(dict.fromkeys(attacks))


def _about(found: Durability) -> str:
    return (
        f"Success is sigmoid(slope (strength - durability)), fitted to {found.fitted} of {len(found.cells)} cells on "
        f"{found.domain}. Durability 0 is {found.zero}, undefended; slope 1 is {found.unit}. An attack gets half of "
        f"what a model as durable as it is strong knows. Penalty: {found.penalty.kind}, {found.penalty.strength:g}; "
        f"intervals from {found.resamples} fits with weighted cells."
    )


def _fit(found: Durability) -> str:
    held = found.held_out
    told = f"The fit misses a cell's success by {found.error:.3f} (root mean square)"
    if held:
        better = "nearer than" if held.error < held.means else "no nearer than"
        told += (
            f"; cells that were left out, {held.rows} of them, by {held.error:.3f}, which is {better} means of model "
            f"and attack alone ({held.means:.3f})"
        )
    left = len(found.cells) - found.fitted
    told += f". {left} cells stand at an end of the scale and give bounds alone." if left else "."
    return told + (f" {found.gaps} records have no figure, and count as nothing." if found.gaps else "")


def _durability(one: Durable) -> str:
    return _place(one.durability, one.low, one.high)


def _strength(one: Strong) -> str:
    return _place(one.strength, one.low, one.high)


def _slope(one: Strong) -> str:
    return GAP if one.slope is None else _place(one.slope, one.slope_low, one.slope_high)


def _place(value: float | None, low: float | None, high: float | None) -> str:
    if value is not None:
        return f"{value:.2f}" + (f" [{low:.2f}, {high:.2f}]" if low is not None and high is not None else "")
    if low is not None:
        return f"at least {low:.2f}"
    return GAP if high is None else f"at most {high:.2f}"
