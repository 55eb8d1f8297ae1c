"""The site is built with warnings as errors, asks nothing of another host, and tells of every public name."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from page_commands import PAGES, ROOT

import holdfast

FETCHED = re.compile(
    r"""<(?:script|iframe|img|source|embed|object|video|audio)\b[^>]*\b(?:src|data)=["']?(?:https?:)?//[^"'\s>]+"""
    r"""|<link\b(?![^>]*\brel=["']?canonical)[^>]*\bhref=["']?(?:https?:)?//[^"'\s>]+"""
    r"""|(?:@import|url\()\s*["']?(?:https?:)?//[^"')\s]+"""
)
"""What a browser would fetch from another host by itself. A link that a reader may follow is none."""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The whole site, built as `make docs` does."""
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    place = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(place)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return place


def test_every_page_is_there(site):
    pages = {page.removesuffix(".md").removesuffix("README").removesuffix("index").rstrip("/") for page in PAGES}
    assert [page for page in sorted(pages) if not (site / page / "index.html").is_file()] == []


def test_nothing_is_fetched_from_another_host(site):
    texts = [path for path in site.rglob("*") if path.suffix in {".html", ".css"}]
    found = [f"{path.relative_to(site)}: {one}" for path in texts for one in FETCHED.findall(path.read_text())]
    assert len(texts) > len(PAGES)
    assert found == []
    # Two scripts of the theme know addresses, which they ask only of pages with diagrams or with a repository's name.
    pages = "".join(path.read_text() for path in site.rglob("*.html"))
    assert not re.search(r'class="[^"]*\bmermaid\b|data-md-component="source"', pages)


def test_what_is_fetched_would_be_seen():
    for text in (
        '<script src="https://example.org/a.js">',
        "<link rel=stylesheet href=//example.org/a.css>",
        "@import 'https://example.org/a.css'",
        "src: url(https://example.org/a.woff2)",
        '<img alt="a" src="http://example.org/a.png">',
    ):
        assert FETCHED.search(text), text
    for text in (
        '<a href="https://example.org">',
        '<link rel="stylesheet" href="assets/a.css">',
        "url(data:image/svg)",
    ):
        assert not FETCHED.search(text), text


def test_every_public_name_is_in_the_reference(site):
    text = "".join(path.read_text() for path in (site / "reference").rglob("*.html"))
    told = set(re.findall(r'id="(holdfast[\w.]*)"', text))
    for name in holdfast.__all__:
        assert f"{importlib.import_module(f'holdfast.{holdfast._HOMES[name]}').__name__}.{name}" in told


def test_every_command_is_in_the_reference(site):
    import typer

    from holdfast.cli.main import app

    text = (site / "reference" / "commands" / "index.html").read_text()
    command = typer.main.get_command(app)
    for name, one in command.commands.items():
        for inner in getattr(one, "commands", {"": None}):
            assert f"<code>holdfast {name}{' ' + inner if inner else ''}</code>" in text
