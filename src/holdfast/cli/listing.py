"""`holdfast list [KIND] [NAME]`."""

from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from holdfast.plugins import Kind


def listing(
    kind: Annotated[
        str | None, typer.Argument(metavar="[KIND]", help="defences, attacks, metrics, judges, domains or models.")
    ] = None,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One of them, or a preset: its fields and values.")
    ] = None,
    json: Json = False,
) -> None:
    """Name what there is, with presets, or the fields of one plug-in with their defaults."""
    import json as json_

    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from holdfast import plugins
    from holdfast.errors import ConfigError, UnknownName

    kinds = (*plugins.KINDS, "models")
    if kind is not None and kind not in kinds:
        raise UnknownName("kind", kind, kinds)
    if name is not None:
        if not plugins.is_kind(kind):
            raise ConfigError("models have no fields; `holdfast list models` names them.")
        _fields(kind, name, json=json)
        return
    found = {each: _names(each) for each in ([kind] if kind else kinds)}
    if json:
        typer.echo(json_.dumps(found))
        return
    table = Table("kind", "names", show_lines=True)
    for each, names in found.items():
        table.add_row(
            each, "\n".join(f"{entry}  [dim]{escape(what)}[/dim]" if what else entry for entry, what in names.items())
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
    found: dict[str, str] = {}
    for name in plugins.names(kind):
        found[name] = plugins.summary(kind, name)
        for preset, settings in plugins.presets(plugins.find(kind, name)).items():
            found[f"{name}/{preset}"] = _said(settings)
    return found


def _said(settings: "Mapping[str, Any]") -> str:
    """What a preset sets, in a few words."""
    import json

    told = (f"{name}={json.dumps(value)}" for name, value in settings.items())
    return f"preset: {', '.join(told) or 'the defaults'}"


def _fields(kind: "Kind", name: str, *, json: bool) -> None:
    import json as json_

    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from holdfast import plugins
    from holdfast.config import build, fields, to_flat

    plugin, preset = plugins.variant(kind, name)
    values = to_flat(build(plugin, preset))
    if json:
        typer.echo(json_.dumps(values))
        return
    notice = getattr(plugin, "NOTICE", None)
    if notice:
        typer.echo(f"{notice}\n")
    column = "value" if preset else "default"
    table = Table("field", column, "meaning", title=f"{name}: {plugin.__doc__}", title_justify="left")
    for field, info in fields(plugin).items():
        table.add_row(field, escape(json_.dumps(values[field])), escape(info.description or ""))
    Console().print(table)
    if groups := getattr(plugin, "GROUPS", None):
        typer.echo(f"groups of categories: {', '.join(groups)}")
    for other, settings in plugins.presets(plugin).items():
        Console().print(
            f"{plugins.without_preset(name)}/{other}  [dim]{escape(_said(settings))}[/dim]", highlight=False
        )
