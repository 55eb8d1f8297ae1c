"""`holdfast list [KIND] [NAME]`."""

from typing import Annotated

import typer

from holdfast.cli.options import Json


def listing(
    kind: Annotated[
        str | None, typer.Argument(metavar="[KIND]", help="defences, attacks, metrics, domains or models.")
    ] = None,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One of them: its fields and defaults.")] = None,
    json: Json = False,
) -> None:
    """Name what there is, or the fields of one plug-in with their defaults."""
    import json as json_

    from rich.console import Console
    from rich.table import Table

    from holdfast import plugins
    from holdfast.errors import ConfigError, UnknownName

    kinds = (*plugins.KINDS, "models")
    if kind is not None and kind not in kinds:
        raise UnknownName("kind", kind, kinds)
    if name is not None:
        if not plugins.is_kind(kind):
            raise ConfigError("models have no fields; `holdfast list models` names them.")
        _fields(plugins.find(kind, name), name, json=json)
        return
    found = {each: _names(each) for each in ([kind] if kind else kinds)}
    if json:
        typer.echo(json_.dumps(found))
        return
    table = Table("kind", "names", show_lines=True)
    for each, names in found.items():
        table.add_row(
            each, "\n".join(f"{entry}  [dim]{what}[/dim]" if what else entry for entry, what in names.items())
        )
    Console().print(table)


def _names(kind: str) -> dict[str, str]:
    from holdfast import plugins
    from holdfast.models.organisms import ORGANISMS

    if kind == "models":
        more = {
            "tiny-llama, tiny-gpt2 ...": "tiny random models of seven families, for tests",
            "random:NAME": "random initialisation, a control: any model's shape, with weights freshly drawn",
        }
        return {**ORGANISMS, **more}
    assert plugins.is_kind(kind)
    return {name: plugins.summary(kind, name) for name in plugins.names(kind)}


def _fields(plugin: type, name: str, *, json: bool) -> None:
    import json as json_

    from rich.console import Console
    from rich.table import Table

    from holdfast.config import fields, to_flat

    defaults = to_flat(plugin())
    if json:
        typer.echo(json_.dumps(defaults))
        return
    table = Table("field", "default", "meaning", title=f"{name}: {plugin.__doc__}", title_justify="left")
    for field, info in fields(plugin).items():
        table.add_row(field, json_.dumps(defaults[field]), info.description or "")
    Console().print(table)
