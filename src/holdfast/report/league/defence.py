"""One defence in words: what it is called, when it acts, what is not known of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.report.league.rows import STAGES, Stage
from holdfast.report.seeds import Comparison, Met


def called(one: Comparison) -> str:
    """The defence, or the pipeline, and which setting tells it from others of that name."""
    return one.name.removeprefix(f"{one.parent}+") if one.parent else one.name


def parts(defence: Mapping[str, Any]) -> list[Stage]:
    """When each part of it acts, as a record tells."""
    told: Any = defence.get("stages") or [defence]
    found = [part.get("stage") for part in told if isinstance(part, Mapping)]
    return [stage if stage in STAGES else "before" for stage in found] or ["before"]


def lessons(tasks: Sequence[Met]) -> Met | None:
    """All harmless tasks together, each counted once for each seed; None where none was taught."""
    if not tasks:
        return None
    return Met(
        name="tasks",
        met=sum(one.met for one in tasks),
        not_met=sum(one.not_met for one in tasks),
        inconclusive=sum(one.inconclusive for one in tasks),
        not_measured=sum(one.not_measured for one in tasks),
    )


def notes(one: Comparison) -> list[str]:
    """What could not be made, and why there is no multiplier."""
    told = [f"seed {each.seed}: the model {each.not_made}" for each in one.hardened if each.not_made]
    over = one.multipliers[0]
    if over.worst is None and not told:
        told.append(f"no multiplier: {over.reason or 'it was not measured'}")
    collapsed = [str(each.seed) for each in one.hardened if each.outcome == "collapsed"]
    if collapsed:
        told.append(f"collapsed with seed {', '.join(collapsed)}: a ruined model does no harm, and is not safe")
    return told
