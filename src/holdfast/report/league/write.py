"""The league table as files: Markdown, and a drawing for each undefended model beside it."""

import os
from pathlib import Path
from typing import Final

from holdfast.errors import ConfigError
from holdfast.files import check_output, write_text
from holdfast.report.drawings.front import front
from holdfast.report.league.markdown import markdown
from holdfast.report.league.rows import League

VERDICT: Final = Path("docs/verdict.md")
"""The page on verdicts, below the repository's root."""


def check(path: Path) -> None:
    """Whether a table can be written, before the work of making one.

    Raises:
        ConfigError: the name is not one of Markdown's.
        OutputError: it cannot be written there.
    """
    if path.suffix.lower() not in {".md", ".markdown"}:
        raise ConfigError(f"{path} is no name for Markdown: end it in .md, and the drawing stands beside it as .svg.")
    check_output(path, overwrite=True)


def write(league: League, path: Path, command: str) -> list[Path]:
    """Write the table, its drawings first, so that none is missing where the table is.

    Args:
        league: the table.
        path: the Markdown file; the drawings are beside it, `OUT.svg`, and `OUT-2.svg` for a second undefended model.
        command: what was run to make it.

    Returns:
        What was written; what was there of these names is replaced.

    Raises:
        ConfigError: as for `check`.
        OutputError: a file cannot be written.
    """
    check(path)
    drawings = [front(section.rows, league.utility_loss) for section in league.sections]
    pictures: list[str] = []
    written: list[Path] = []
    for number, drawing in enumerate(drawings, start=1):
        place = path.with_name(f"{path.stem}{f'-{number}' if number > 1 else ''}.svg")
        pictures.append(place.name if drawing else "")
        if drawing:
            write_text(place, drawing.svg + "\n")
            written.append(place)
        else:
            place.unlink(missing_ok=True)
    write_text(path, markdown(league, command=command, verdict=to_verdict(path.absolute().parent), pictures=pictures))
    return [path, *written]


def to_verdict(folder: Path) -> str:
    """The way from a folder to the page on verdicts of the repository around it; its plain name where there is none."""
    for root in (folder, *folder.parents):
        if (root / VERDICT).is_file():
            return Path(os.path.relpath(root / VERDICT, folder)).as_posix()
    return VERDICT.as_posix()
