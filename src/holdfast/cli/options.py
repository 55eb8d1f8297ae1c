"""Options that several commands share, with one wording each."""

from pathlib import Path
from typing import Annotated, Any, cast, get_args

import typer

from holdfast.errors import ConfigError, UnknownName
from holdfast.records import Role

ModelName = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="An organism's name, a local directory or a hub id (owner/name); random:NAME has NAME's shape, untrained; "
        "NAME#bare, NAME#chatml or NAME#FILE.jinja has another chat template.",
    ),
]
Domain = Annotated[
    str,
    typer.Option(
        metavar="DOMAIN",
        help="A domain's name, with settings behind a colon (beavertails:seed=1), or a directory of JSON lines: "
        "`holdfast list domains`.",
    ),
]
Metrics = Annotated[
    str,
    typer.Option(
        metavar="NAMES",
        help="What is measured: `holdfast list metrics` names them. A field of one is set with its name in front, "
        "e.g. -s stability.limit=100.",
    ),
]
Output = Annotated[Path, typer.Option("--output", "-o", help="Where to write; must not exist yet.")]
OptionalOutput = Annotated[
    Path | None, typer.Option("--output", "-o", help="Where to write the model; must not exist yet.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="FIELD=VALUE", help="Set a field, e.g. -s training.steps=50. Repeatable."),
]
Seed = Annotated[int, typer.Option(min=0, help="Decides everything drawn at random.")]
Categories = Annotated[
    str,
    typer.Option(metavar="NAMES", help="The only harmful categories to use, or groups of them, commas between."),
]
RoleName = Annotated[
    str | None,
    typer.Option(
        "--role",
        metavar="ROLE",
        help="What the model stands for in a report: undefended, defended, oracle or random. Told by its origin.",
    ),
]
RecordFile = Annotated[
    Path | None,
    typer.Option(
        "--record", metavar="FILE.json", help="Write the record there too: DIR/records/NAME.json for a report."
    ),
]
Provider = Annotated[
    list[str] | None,
    typer.Option(
        metavar="DEFENCE",
        help="A provider's defence, during the training or after it: lisa, lisa+antidote. Repeatable; its fields are "
        "set with its name in front, e.g. -s lisa.rho=0.1.",
    ),
]
Judges = Annotated[
    list[str] | None,
    typer.Option(
        "--judge",
        metavar="NAME",
        help="Who judges harm, in place of the domain's own: `holdfast list judges`. Repeatable: the first decides, "
        "and how far others agree is told. Fields of one are set with its name in front, e.g. -s classifier.model=DIR.",
    ),
]
Dtype = Annotated[
    str, typer.Option(metavar="TYPE", help="What weights are held in: float32, bfloat16, float16, or auto: as stored.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is at the output.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no tables; errors still show.")]
RemoteCode = Annotated[
    bool, typer.Option("--trust-remote-code", help="Let code that comes with a hub model run. Know whose it is.")
]


def settings(pairs: list[str] | None) -> dict[str, Any]:
    """`field=value` texts as settings: a value is read as JSON where it is JSON, else as text."""
    import json

    found: dict[str, Any] = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise ConfigError(f"--set {pair!r} is not FIELD=VALUE; write for example --set training.steps=50.")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def names(text: str) -> tuple[str, ...]:
    """Names with commas between."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def parse_role(text: str | None) -> Role | None:
    """A role in a comparison, where one was given."""
    if text is None or text in get_args(Role):
        return cast("Role | None", text)
    raise UnknownName("role", text, get_args(Role))


def numbers(text: str) -> tuple[int, ...]:
    """Whole numbers with commas between, as a ladder is given."""
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        found = (-1,)
    if min(found) < 0:
        raise ConfigError(f"--ladder {text!r} is not a list of steps; write for example --ladder 0,1,2,5,10.")
    return found
