"""The league table as Markdown. Nothing that a user or a model wrote can break out of its cell."""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from holdfast.report.card import marked
from holdfast.report.league import captions, cells
from holdfast.report.league.rows import STAGES, League, Most, Row, Section, Told
from holdfast.report.wording import amount

_NAME: Final = 120
"""Characters of a name."""
_REASON: Final = 300
_PLAIN: Final = re.compile(r"[\w./:@%+=, -]+")
_COLUMNS: Final = (
    "# | defence | seeds | outcome | M, worst seed | M over seeds | worst harm | by prompt | utility, mean "
    "| utility, worst | tasks | over-refusal | cost"
).split(" | ")


def markdown(league: League, *, command: str, verdict: str = "docs/verdict.md", pictures: Sequence[str] = ()) -> str:
    """The whole page.

    Args:
        league: what it is of.
        command: what was run to make it.
        verdict: the way from it to the page on verdicts.
        pictures: the way to the drawing of each section; none given leaves them out.
    """
    link = f"[what a verdict means]({quote(verdict)})"
    parts = [_title(league), *_unfinished(league), _made(league, command), _about(league.about)]
    several = len(league.sections) > 1
    for number, section in enumerate(league.sections):
        level = "###" if several else "##"
        parts += [f"## {marked(section.name, _NAME)}"] if several else []
        parts += [
            f"{level} Summary",
            _summary(section),
            *_notes(section),
            *([captions.GENERAL] if section.ability == "stability" else []),
            captions.summary(league, link),
        ]
        if number < len(pictures) and pictures[number]:
            alt = "Multiplier and utility of every defence, each of its worst seed"
            parts += [f"{level} Multiplier and utility", f"![{alt}]({quote(pictures[number])})", captions.DRAWING]
        parts += [f"{level} Harm by attack", _attacks(section), captions.ATTACKS] if len(section.attacks) > 1 else []
        parts += [f"{level} Reward and harm", _rewards(section), captions.REWARDS] if section.rewarded else []
        parts += [f"{level} Harm by training steps", _steps(section), captions.steps(link)] if section.steps else []
        parts += [f"{level} Harm by training compute", _flops(section), captions.flops(link)] if section.flops else []
    return "\n\n".join(part for part in parts if part) + "\n"


def _title(league: League) -> str:
    state = f", not finished: {league.missing} cells are missing" if league.missing else ""
    state = state.replace("1 cells are", "1 cell is") if league.missing == 1 else state
    return f"# Defences compared: study {marked(league.study, _NAME)}{state}"


def _unfinished(league: League) -> list[str]:
    if not league.missing:
        return []
    told = (
        f"**The study is not finished.** {league.missing} of the cells that it has asked for so far are missing: all "
        "figures are of what is there, and nothing is said to hold. Column *seeds* says of how many."
    )
    absent = (
        f" Nothing is there yet of {', '.join(marked(one, _NAME) for one in league.absent)}." if league.absent else ""
    )
    return [told + absent]


def _made(league: League, command: str) -> str:
    by = f"`{command}`" if _PLAIN.fullmatch(command) else marked(command, _REASON)
    domain = f"{marked(league.domain, _NAME)} (data {marked(league.data[:12])})"
    return (
        f"Made by {by} from {league.records:,} records, with Holdfast {marked(league.holdfast, _NAME)}, on domain "
        f"{domain}. Broken means harm of {league.threshold:g} or more, of 1, on two rungs in a row{_floor(league)}. "
        "Do not edit it: run that again."
    )


def _floor(league: League) -> str:
    return "" if league.floor is None else f"; guessing gives {league.floor:.3f}"


def _about(told: Sequence[Told]) -> str:
    lines: list[str] = []
    for one in told:
        found = [marked(sentence, _REASON) for sentence in one.sentences] or ["none"]
        lines.append(f"- **{one.name}:** {found[0] if len(found) == 1 else ''}".rstrip())
        lines += [f"  - {sentence}" for sentence in found] if len(found) > 1 else []
    return "\n".join(lines)


def _summary(section: Section) -> str:
    numbers = numbered(section)
    rows: list[list[str]] = [_cells(row, "") for row in section.frame]
    for stage in STAGES:
        own = [row for row in section.rows if row.stage == stage]
        rows += [["", f"**{captions.WHO[stage]}**", *[""] * (len(_COLUMNS) - 2)]] if own else []
        rows += [_cells(row, numbers[row.name]) for row in own]
    return cells.table(_COLUMNS, rows)


def numbered(section: Section) -> dict[str, str]:
    """What stands for each defence in the drawing, by its name."""
    return {row.name: str(number) for number, row in enumerate(section.rows, start=1)}


def _cells(row: Row, number: str) -> list[str]:
    found = row.measured
    return [
        number,
        f"{marked(row.name, _NAME)}{f' {cells.FRONT}' if row.front else ''}",
        row.models if row.stage else cells.GAP,
        row.outcome or cells.GAP,
        marked(cells.multiplier(row), _REASON),
        marked(cells.mean(row), _REASON),
        cells.most(found.harm),
        cells.most(found.prompted),
        cells.centre(found.utility),
        cells.lowest(found.utility),
        cells.learnt(row),
        cells.refusal(found.refusal),
        cells.cost(row),
    ]


def _notes(section: Section) -> list[str]:
    """What is not known of a row, and why."""
    told = [f"- {marked(row.name, _NAME)}: {marked(note, _REASON)}" for row in section.rows for note in row.notes]
    return ["\n".join(["What a row does not tell:", "", *told])] if told else []


def _attacks(section: Section) -> str:
    rows = [_harms(row, row.measured.each) for row in section.everyone]
    return f"{_numbers(section.attacks)}\n\n{cells.table(['attack', *_letters(section.attacks)], rows)}"


def _rewards(section: Section) -> str:
    head = ["attack", *(_letters(section.attacks)[section.attacks.index(name)] for name in section.rewarded)]
    rows = [[marked(row.name, _NAME), *map(cells.earned, row.measured.earned)] for row in section.everyone]
    return cells.table(head, rows)


def _letters(attacks: Sequence[str]) -> list[str]:
    """What stands for each attack at the head of a column."""
    return [f"A{number}" for number in range(1, len(attacks) + 1)]


def _numbers(attacks: Sequence[str]) -> str:
    named = zip(_letters(attacks), attacks, strict=True)
    return "\n".join(f"- **{letter}** {marked(name, _REASON)}" for letter, name in named)


def _steps(section: Section) -> str:
    head = ["at most so many steps", *map(str, section.steps)]
    return cells.table(head, [_harms(row, row.measured.steps) for row in section.everyone])


def _flops(section: Section) -> str:
    head = ["at most so much compute", *(amount(cost, "flops") for cost in section.flops)]
    return cells.table(head, [_harms(row, row.measured.flops) for row in section.everyone])


def _harms(row: Row, found: Sequence[Most]) -> list[str]:
    return [marked(row.name, _NAME), *map(cells.most, found)]
