"""What `holdfast study table` does: the league table of a study, from what is done so far, to a file or the screen."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import typer

from holdfast.cli.given import judged

if TYPE_CHECKING:
    from holdfast.records import Record
    from holdfast.study.design import Study
    from holdfast.study.played import Played
    from holdfast.study.store.store import Store


def compare(
    study: "Study",
    store: "Store",
    far: "Played",
    records: "Mapping[str, Record]",
    output: Path | None,
    named: tuple[Path, str | None],
    terms: Mapping[str, Any],
) -> list[str]:
    """Make the table, and write it where a file is given.

    Args:
        study: the study.
        store: where its cells are.
        far: how far it is.
        records: of its cells, by name.
        output: the Markdown file.
        named: the study's file and tier, as the user named them.
        terms: of the verdict, as the user set them.

    Returns:
        What to print: which files were written, or the table itself.

    Raises:
        InputError: the terms or the output cannot be used, or there is no record of a hardened model.
    """
    from holdfast.report.league.gather import league
    from holdfast.report.league.markdown import markdown
    from holdfast.report.league.write import check, write
    from holdfast.study.took import took

    if output:
        check(output)
    seconds = took(store, far.records)
    found = league(
        judged(study, far, records, terms),
        records,
        study=study.name,
        ladder=study.ladder,
        took={name: seconds[key] for name in records if (key := PurePosixPath(name).stem) in seconds},
        missing=far.missing,
        absent=_absent(far, records),
    )
    command = _command(*named, terms, output)
    if output is None:
        return [markdown(found, command=command).rstrip("\n")]
    written = write(found, output, command)
    if far.missing:
        cells = "one cell is" if far.missing == 1 else f"{far.missing} cells are"
        typer.echo(f"holdfast: the study is not finished: {cells} missing in the table.", err=True)
    return [f"wrote {path}" for path in written]


def _absent(far: "Played", records: "Mapping[str, Record]") -> list[str]:
    """Hardened models of which no attack has a record yet, by name."""
    there = {record.model for record in records.values() if record.purpose == "resistance"}
    asked = [cell.name for cell in far.cells if cell.role == "defended" and cell.verb == "attack"]
    return sorted({*asked} - there)


def _command(file: Path, tier: str | None, terms: Mapping[str, Any], output: Path | None) -> str:
    """What makes the same table again, without places that are of this machine: the store's is left out."""

    def plain(path: Path) -> str:
        return path.name if path.is_absolute() else path.as_posix()

    place = plain(file)
    parts = ["holdfast", "study", "table", place, *(["--tier", tier] if tier else [])]
    for name, value in terms.items():
        parts += ["-s", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    return shlex.join([*parts, *(["-o", plain(output)] if output else [])])
