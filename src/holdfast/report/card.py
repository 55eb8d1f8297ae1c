"""The verdict on a model's own card: a section of its README.md, and metadata as the Hugging Face Hub reads it."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from holdfast.errors import InputError
from holdfast.files import write_text
from holdfast.report import wording
from holdfast.report.figure import Figure
from holdfast.report.schema import Condition, Multiplied, Report, Verdict
from holdfast.report.text import shown

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCard

START: Final = "<!-- holdfast:verdict -->"
END: Final = "<!-- /holdfast:verdict -->"
TAGS: Final = ("holdfast", "tamper-resistance")
TASK: Final = "Resistance to harmful fine-tuning"
"""What the results in the metadata are filed under, and known again by."""
# From a start to the nearest end, with no other start between: a start whose end was lost takes nothing with it.
_SECTION: Final = re.compile(rf"{START}(?:(?!{START}).)*?{END}\n?", re.DOTALL)
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
_NAME: Final = 120


def describe(report: Report, verdict: Verdict) -> str:
    """What is said of one model, as a section of Markdown without its markers. No answers of any model are in it."""
    parts = [
        f"## Does its safeguard survive fine-tuning? {verdict.outcome.capitalize()}.",
        f"**{marked(verdict.headline)}**",
        *_over_seeds(report, verdict),
        conditions_table(verdict.conditions),
        multipliers_table(verdict.multipliers),
        "### Controls",
        listed([f"**{c.name}**, {c.status}: {marked(c.sentence)}" for c in verdict.controls]) or "None was run.",
        "### Before relying on it",
        listed([marked(caveat) for caveat in verdict.caveats]) or "No caveat was raised.",
        (
            f"Measured by Holdfast {marked(report.holdfast, _NAME)} on domain {marked(report.domain, _NAME)}, "
            f"data {marked(report.data[:12])}, weights {marked(verdict.weights[:12])}. Broken means harm of "
            f"{marked(str(report.terms.get('threshold')))} or more, of 1."
        ),
    ]
    return "\n\n".join(parts) + "\n"


def write_card(directory: Path, report: Report, verdict: Verdict) -> None:
    """Put the verdict into the README.md of a model's directory, or put it in place of the one that is there.

    The rest of the card stays as it is. Doing it twice changes nothing.

    Raises:
        InputError: the card's metadata cannot be read.
        OutputError: the card cannot be written.
    """
    from huggingface_hub import ModelCard

    path = directory / "README.md"
    card = _read(path) if path.is_file() else ModelCard(f"---\n{{}}\n---\n\n# {marked(verdict.model, _NAME)}\n")
    data: Any = card.data
    data.tags = list(dict.fromkeys([*(data.tags or []), *TAGS]))
    results = [other for other in data.eval_results or [] if other.task_name != TASK] + _results(report, verdict)
    if results:
        data.model_name = data.model_name or shown(verdict.model, _NAME)
        data.eval_results = results
    section = f"{START}\n{describe(report, verdict)}{END}\n"
    body = card.text.replace("\r\n", "\n")
    found = _SECTION.search(body)
    body = body[: found.start()] + section + body[found.end() :] if found else f"{body.rstrip()}\n\n{section}"
    card.text = body.replace("\n", "\r\n") if "\r\n" in card.text else body
    content = str(card)
    assert ModelCard(content).data.to_dict() == data.to_dict()
    write_text(path, content)


def marked(text: str, limit: int = 600) -> str:
    """A text on one line of Markdown, where nothing in it is markup, ends a table's cell or becomes a link."""
    text = shown(text, limit).strip()
    text = "".join(_ENTITIES.get(char, f"\\{char}" if char in "\\`*_[]|~$#!" else char) for char in text)
    # An address on its own becomes a link.
    return re.sub(r"(?i)\b(www)\.", r"\1&#46;", text.replace("://", "&#58;//"))


def _read(path: Path) -> "ModelCard":
    from huggingface_hub import ModelCard
    from yaml import YAMLError

    try:
        return ModelCard.load(path)
    except (YAMLError, ValueError, TypeError) as error:
        raise InputError(f"{path} has metadata that cannot be read: {error}. Mend or remove its YAML block.") from error


def _over_seeds(report: Report, verdict: Verdict) -> list[str]:
    """What holds of all models that were hardened as this one, so that a lucky seed does not speak for itself."""
    for one in report.comparisons:
        own = [report.verdicts[each.verdict].weights for each in one.hardened]
        if len(own) > 1 and verdict.weights in own:
            return [f"Over {one.models} seeds of the defence: {marked(one.headline)}"]
    return []


def conditions_table(found: list[Condition]) -> str:
    """The conditions, a row each."""
    rows = [f"| {c.name} | {c.status} | {marked(c.sentence)} |" for c in found]
    return "\n".join(["| condition | status | what was found |", "|---|---|---|", *rows])


def multipliers_table(found: list[Multiplied]) -> str:
    """The table of what the defence costs an attacker."""
    rows = [
        f"| {wording.UNIT_NAMES[m.unit]} | {marked(wording.bounds(m))} | {wording.spent(m.undefended, m.unit)} "
        f"| {wording.spent(m.defended, m.unit)} |"
        for m in found
    ]
    head = ["| an attacker needs, of | times as much | undefended | defended |", "|---|---|---|---|"]
    return "\n".join([*head, *rows]) if rows else "No multiplier was measured."


def listed(items: list[str]) -> str:
    """A list of Markdown."""
    return "\n".join(f"- {item}" for item in items)


def _results(report: Report, verdict: Verdict) -> list["EvalResult"]:
    """What was measured of harm and ability before any attack, the worst harm, and the multiplier's bounds."""
    from huggingface_hub import EvalResult

    hard = [curve for curve in verdict.curves if curve.role == "defended" and curve.points]
    start = [curve.points[0] for curve in hard if curve.points[0].steps == 0]
    after = [p.harm.value for curve in hard for p in curve.points if p.harm.value is not None]
    after += [f.harm_after.value for f in verdict.free if f.role == "defended" and f.harm_after.value is not None]
    able = verdict.able if verdict.able and verdict.able.measure == "stability" else None
    flops = next((m for m in verdict.multipliers if m.unit == "flops"), None)
    figures: list[tuple[str, str, float | None]] = [
        ("harm", "Harm before any attack", _first([p.harm for p in start])),
        ("utility", "Utility before any attack", _first([p.utility for p in start])),
        ("stability", "Stability before any attack", able.defended.value if able else None),
        ("harm_after_attack", "Harm after the worst attack", max(after, default=None)),
        ("attacker_cost_multiplier_at_least", "Attacker's cost multiplier, at least", flops.low if flops else None),
        ("attacker_cost_multiplier_at_most", "Attacker's cost multiplier, at most", flops.high if flops else None),
    ]
    shared: dict[str, Any] = {
        "task_type": "text-generation",
        "task_name": TASK,
        "dataset_type": shown(report.domain, _NAME),
        "dataset_name": shown(report.domain, _NAME),
        "dataset_args": {"fingerprint": shown(report.data, _NAME)},
    }
    return [
        EvalResult(**shared, metric_type=kind, metric_name=name, metric_value=round(value, 4))
        for kind, name, value in figures
        if value is not None
    ]


def _first(figures: list[Figure]) -> float | None:
    return next((figure.value for figure in figures if figure.value is not None), None)
