"""Depth as JSON, as Markdown with its drawings, and as lines for a terminal."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

from holdfast.depths import Depth, Layer, Relearnt
from holdfast.files import write_text
from holdfast.report.card import marked
from holdfast.report.drawings.depth import drawings
from holdfast.report.league.cells import table
from holdfast.report.text import shown
from holdfast.report.wording import GAP
from holdfast.statistics.repeats import Spread

DATA: Final = "depth.json"
PAGE: Final = "depth.md"
_NAME: Final = 120
_COLUMNS: Final = (
    "layer", "information, nats an answer", "of the base", "lens loss", "of the base", "probe", "selectivity", "CKA",
    "distance", "MMD to noise", "of the base", "weights moved",
)  # fmt: skip

_READ: Final = (
    "Layer 0 is what enters the first block. *Information*: what the question makes known of its answer, read off the "
    "layer by a map learnt on other answers. *Probe*: how often a linear probe tells harmful from harmless answers, by "
    "their topics; *selectivity* is that beyond random labels. Intervals are over seeds."
)
_BACK: Final = (
    "Trained on harmful answers to other questions. *Of the base*: the model with the base's weights in these blocks. "
    "*Frozen*: the base after the same defence, which had to leave these blocks alone."
)


def to_json(found: Depth) -> str:
    """All of it as JSON."""
    return json.dumps(asdict(found), indent=1)


def write(found: Depth, folder: Path) -> list[Path]:
    """Write `depth.json`, `depth.md` and its drawings.

    Raises:
        OutputError: a file cannot be written.
    """
    pictures = drawings(found)
    files = {folder / f"{one.name}.svg": one.svg for one in pictures}
    files |= {folder / DATA: to_json(found), folder / PAGE: markdown(found)}
    for path, text in files.items():
        write_text(path, text + "\n")
    return [*files]


def lines(found: Depth) -> list[str]:
    """What a terminal shows."""
    told = [f"{shown(found.model, _NAME)} beside {shown(found.base, _NAME)}", "", found.verdict.sentence, ""]
    told += [f"{'layer':>5} {'information':>22} {'of the base':>22} {'lens loss':>10} {'CKA':>6}"]
    told += [
        f"{one.layer:>5} {_over(one.information.information):>22} {_over(one.information_base.information):>22} "
        f"{one.information.loss:>10.2f} {one.moved.cka:>6.2f}"
        for one in found.layers
    ]
    told += ["", "harm while other answers are trained on, by steps " + ", ".join(map(str, found.relearnt[0].steps))]
    told += [f"  {name}: {_harm(one)}" for name, one in _learnt(found)]
    return told


def markdown(found: Depth) -> str:
    """The page. Nothing that a user or a model wrote can break out of it."""
    rows = [_row(one, [None, *found.weights][one.layer]) for one in found.layers]
    steps = found.relearnt[0].steps
    harm = [[name, *(GAP if value is None else f"{value:.2f}" for value in one.harm)] for name, one in _learnt(found)]
    pictures = [f"![{one.title}]({one.name}.svg)\n\n{one.caption}" for one in drawings(found)]
    about = (
        f"Beside {marked(found.base, _NAME)}, on {marked(found.domain, _NAME)}: {found.harmful} harmful answers and "
        f"{found.harmless} harmless ones."
    )
    return "\n\n".join([
        f"# Depth of {marked(found.model, _NAME)}",
        about,
        f"**{found.verdict.sentence}**",
        "## Layer by layer",
        table(_COLUMNS, rows),
        _READ,
        *pictures,
        "## What comes back",
        table(("harm after steps", *map(str, steps)), harm),
        _BACK,
    ])  # fmt: skip


def _learnt(found: Depth) -> list[tuple[str, Relearnt]]:
    """By what to call it; of several seeds each."""
    named = [(f"as it is, seed {seed}", one) for seed, one in enumerate(found.relearnt)]
    named += [(f"the base, seed {seed}", one) for seed, one in enumerate(found.relearnt_base)]
    named += [(f"blocks {one.blocks} of the base", one) for one in found.restored]
    return named + [(f"hardened anew, blocks {one.blocks} frozen", one) for one in found.frozen]


def _row(one: Layer, weights: float | None) -> list[str]:
    figures = (one.information.loss, one.information_base.loss)
    moved = one.moved
    return [
        str(one.layer),
        _over(one.information.information),
        _over(one.information_base.information),
        *(f"{value:.2f}" for value in figures),
        _over(one.probe.accuracy),
        _over(one.probe.selectivity),
        *(f"{value:.2f}" for value in (moved.cka, moved.distance, moved.noise, moved.noise_base)),
        GAP if weights is None else f"{weights:.3f}",
    ]


def _harm(one: Relearnt) -> str:
    return " ".join(GAP if value is None else f"{value:.2f}" for value in one.harm)


def _over(one: Spread) -> str:
    if one.centre is None:
        return GAP
    return f"{one.centre:.2f}" + ("" if one.low is None else f" [{one.low:.2f}, {one.high:.2f}]")
