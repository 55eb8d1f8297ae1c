"""What a terminal shows of a study: its plan, how far it is, and how it ended."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from holdfast.study.cells import Cell
    from holdfast.study.design import Study
    from holdfast.study.progress import Progress as Ran
    from holdfast.study.store.claims import Claim
    from holdfast.study.store.store import Entry, Store

FAILED: Final = 4
"""What a command exits with whose study is finished, with failures."""


def plan_json(
    cells: "Sequence[Cell]", there: "Mapping[str, Entry]", flops: Mapping[str, float | None], times: Mapping[str, float]
) -> list[dict[str, Any]]:
    """One object a cell."""
    return [
        {
            "key": cell.key,
            **cell.about,
            "state": state(there.get(cell.key)),
            "flops": flops[cell.key],
            "seconds": round(times[cell.key], 1),
        }
        for cell in cells
    ]


def plan_table(
    study: "Study",
    cells: "Sequence[Cell]",
    there: "Mapping[str, Entry]",
    flops: Mapping[str, float | None],
    times: Mapping[str, float],
    *,
    every: bool,
) -> Group:
    """A row for each method on each model, or a row a cell; then what it comes to."""
    left = {cell.key: cell for cell in cells if state(there.get(cell.key)) == "left"}
    rows: dict[str, list[Cell]] = {}
    for cell in cells:
        rows.setdefault(f"{cell.key[:12] + '  ' if every else ''}{in_words(cell, seeds=every)}", []).append(cell)
    table = Table("cells of study " + escape(study.name), "number", "there", "FLOPs left", "time left", box=None)
    for what, group in rows.items():
        todo = [cell for cell in group if cell.key in left]
        table.add_row(
            escape(what),
            str(len(group)),
            str(len(group) - len(todo)),
            _flops([flops[cell.key] for cell in todo]),
            _time(sum(times[cell.key] for cell in todo)) if any(flops[cell.key] for cell in todo) or not todo else "",
        )
    needed, long = _flops([flops[key] for key in left]), _time(sum(times[key] for key in left))
    total = f"{len(cells)} cells, {len(cells) - len(left)} there, {len(left)} left"
    if any(flops[key] for key in left):
        total += f": about {needed} FLOPs, {long} of one core"
    later = [f"up to {study.widen} wider learning rates on each model"] if study.widen else []
    if study.search:
        later.append(f"a search of {study.search.trials} attacks against each model but the controls")
    return Group(table, "", f"{total}{'; later ' if later else ''}{' and '.join(later)}.")


def status_json(
    cells: "Sequence[Cell]", there: "Mapping[str, Entry]", live: "Mapping[str, Claim]"
) -> list[dict[str, Any]]:
    """One object a cell."""
    told: list[dict[str, Any]] = []
    for cell in cells:
        entry, claim = there.get(cell.key), live.get(cell.key)
        told.append(
            {
                "key": cell.key,
                "cell": in_words(cell),
                "state": "running" if claim and not entry else state(entry),
                "share": claim.done if claim else None,
                "host": claim.host if claim else None,
                "seconds": entry.seconds if entry else None,
                "failure": entry.failure if entry else None,
            }
        )
    return told


def status_table(
    study: "Study", cells: "Sequence[Cell]", there: "Mapping[str, Entry]", live: "Mapping[str, Claim]"
) -> Group:
    """How many cells are in which state, those at work one by one, and why any failed."""
    told = status_json(cells, there, live)
    count = {name: sum(one["state"] == name for one in told) for name in ("done", "failed", "running", "left")}
    known = {cell.key for cell in cells}
    later = [claim for key, claim in live.items() if key not in known]
    parts = [f"{number} {name}" for name, number in count.items()]
    lines: list[Any] = [f"study {escape(study.name)}: {len(told)} cells asked for so far: {', '.join(parts)}."]
    if later:
        lines.append(f"{len(later)} more are at work that are another study's, or that it asked for just now.")
    table = Table("at work", "done", "on", box=None)
    for one in told:
        if one["state"] == "running":
            table.add_row(escape(one["cell"]), percent(one["share"] or 0), escape(str(one["host"])))
    if table.row_count:
        lines += ["", table]
    failures = Table("failed", "why", box=None)
    for one in told:
        if one["state"] == "failed":
            failures.add_row(escape(one["cell"]), escape(str(one["failure"])))
    return Group(*lines, *(["", failures] if failures.row_count else []))


def percent(share: float) -> str:
    """Which share of a cell is done; a dash where nothing was heard of it yet, as from the nodes of a cluster."""
    return f"{100 * share:.0f} %" if share else "\N{EN DASH}"


def state(entry: "Entry | None") -> str:
    """Of a cell that nobody is at: done, failed or left."""
    if entry is None:
        return "left"
    return "failed" if entry.failure else "done"


def summary(name: str, store: "Store", ended: "Ran") -> dict[str, Any]:
    """How a run ended."""
    failed = [one for one in ended.cells.values() if one.state == "failed"]
    made = sum(one.state == "done" and not one.found for one in ended.cells.values())
    found = ended.count("done") - made
    took = time.monotonic() - ended.started
    sentence = f"study {name}: {made} cells done in {_time(took)}, {found} were there"
    sentence += f", {len(failed)} failed" if failed else ""
    return {
        "study": name,
        "store": store.url,
        "done": made,
        "found": found,
        "failed": len(failed),
        "failures": [{"cell": in_words(one.cell), "reason": one.failure} for one in failed],
        "seconds": round(took, 1),
        "sentence": f"{sentence}; all is in {store.url}",
    }


def in_words(cell: "Cell", *, seeds: bool = True) -> str:
    """A cell in words, with every seed or with none."""
    told = _set(cell)
    kind = {"generalization": ["unseen categories"], "search": ["search"]}.get(cell.purpose, [])
    told += [*kind, *(["only " + " ".join(cell.categories)] if cell.categories else [])]
    said = {"harden": "harden", "attack": "attack", "learn": "teach"}[cell.verb]
    seed = [f"seed {cell.seed}"] if seeds else []
    return ", ".join([f"{said} {_model(cell.model, seeds=seeds)}: {cell.method}", *told, *seed])


def _model(model: "str | Cell", *, seeds: bool) -> str:
    """A model by its name, and how each defence was set that made it."""
    if isinstance(model, str):
        return model
    how = ", ".join([*_set(model), *([f"seed {model.seed}"] if seeds else [])])
    return f"{_model(model.model, seeds=seeds)}+{model.method}{f' ({how})' if how else ''}"


def _set(cell: "Cell") -> list[str]:
    return [f"{name.removeprefix('training.')} {value}" for name, value in cell.settings.items()]


def _flops(needs: Sequence[float | None]) -> str:
    known = [need for need in needs if need is not None]
    return f"{sum(known):.1e}" + (" and more" if len(known) < len(needs) else "") if known or not needs else "not known"


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
