"""What the site has beside the files of this folder: the command line's own help, and what pages link to outside.

mkdocs calls the functions; it runs this file by its path.
"""

import posixpath
import re
from pathlib import Path
from typing import Any, Final

from mkdocs.structure.files import File

_OUTSIDE: Final = {
    "benchmarks/RESULTS.md": "results/benchmarks.md",
    "examples/provider/train.py": "examples/provider_train.md",
}
"""Files of the repository that pages link to, and the pages that they become."""
_COMMANDS: Final = "reference/commands.md"
_FENCE: Final = re.compile(r"^ *(```|~~~)")
_NESTED: Final = re.compile(r"^(?: {2}){1,3}(?=[-*] )")


def on_files(files: Any, *, config: Any) -> Any:
    """Add the pages that are made here."""
    root = Path(config.config_file_path).parent
    for path, page in _OUTSIDE.items():
        files.append(File.generated(config, page, content=_shown(path, (root / path).read_text(encoding="utf-8"))))
    files.append(File.generated(config, _COMMANDS, content=commands()))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Lead links out of this folder to pages, and indent lists within lists as the site's Markdown wants it."""
    folder = posixpath.dirname(page.file.src_uri)
    for path, to in _OUTSIDE.items():
        away = posixpath.relpath(f"../{path}", folder or ".")
        markdown = markdown.replace(f"]({away})", f"]({posixpath.relpath(to, folder or '.')})")
    return _indented(markdown)


def commands() -> str:
    """Every command with its arguments and options, as Markdown: what `--help` says, by typer's own generator."""
    import typer
    from typer.cli import get_docs_for_click

    from holdfast.cli.main import app

    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="holdfast")
    text = get_docs_for_click(obj=command, ctx=context, name="holdfast", title="Commands")
    return re.sub(r"^\$ ", "", text, flags=re.MULTILINE)


def _shown(path: str, text: str) -> str:
    """A file outside as a page: Markdown as it is, with its links to this folder; all else as code."""
    if path.endswith(".md"):
        return text.replace("](../docs/", "](../")
    return f"# {path}\n\n```python\n{text}```\n"


def _indented(markdown: str) -> str:
    """Lists within lists by four blanks a level, where GitHub does with two."""
    lines, fenced = [], False
    for line in markdown.splitlines():
        fenced ^= bool(_FENCE.match(line))
        lines.append(line if fenced else _NESTED.sub(lambda found: found[0] * 2, line))
    return "\n".join(lines) + "\n"
