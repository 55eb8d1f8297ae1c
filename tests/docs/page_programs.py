"""The programs that a page's commands name, done in this process."""

import contextlib
import functools
import importlib
import io
import os
import pkgutil
import re
import runpy
import sys
import tomllib
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest
import typer
from page_commands import ROOT

import holdfast
from holdfast import plugins
from holdfast.cli.main import main

ASKED: Final = ("holdfast", "python", "pip", "make", "hf", "ray", "vllm", "torchrun", "accelerate")
"""Commands that are not the shell's affair."""
_ROOMS: Final = {"cli", "study", "report", "models", "metrics", "judges", "domains"}
"""Where something is patched, or is imported from there."""


def command_line(words: list[str], folder: Path) -> tuple[int, str]:
    """`holdfast ...` in this process: how it ends, and what it prints."""
    said, before, argv, environment = io.StringIO(), Path.cwd(), sys.argv, dict(os.environ)
    os.chdir(folder)
    sys.argv = ["holdfast", *words]
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main()
    except SystemExit as left:
        return int(left.code or 0), said.getvalue()
    finally:
        os.chdir(before)
        sys.argv = argv
        os.environ.clear()
        os.environ.update(environment)
    raise AssertionError("the command line always exits")


def script(words: list[str], folder: Path) -> tuple[int, str]:
    """`python FILE ...` in this process."""
    said, before, argv, path = io.StringIO(), Path.cwd(), sys.argv, list(sys.path)
    os.chdir(folder)
    sys.argv, sys.path[:] = list(words), [str((folder / words[0]).parent), *path]
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as left:
        return int(left.code or 0), said.getvalue()
    finally:
        os.chdir(before)
        sys.argv, sys.path[:] = argv, path
    return 0, said.getvalue()


def pip(words: list[str], folder: Path) -> tuple[int, str]:
    """`pip install -e FOLDER`: what pip would leave, made from the folder's own pyproject.toml; else nothing."""
    match words:
        case ["install", "-e" | "--editable", name]:
            told = tomllib.loads((folder / name / "pyproject.toml").read_text())["project"]
            info = folder / name / f"{told['name'].replace('-', '_')}-{told['version']}.dist-info"
            info.mkdir(exist_ok=True)
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {told['name']}\nVersion: {told['version']}\n")
            groups = (f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in points.items())
                      for group, points in told["entry-points"].items())  # fmt: skip
            (info / "entry_points.txt").write_text("\n".join(groups))
            sys.path.insert(0, str(folder / name))
            plugins._foreign.cache_clear()
        case ["install", *wanted]:
            known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
            extras = [
                extra for one in wanted for found in re.findall(r"^holdfast\[(.+)\]", one) for extra in found.split(",")
            ]
            if unknown := [extra for extra in extras if extra not in known]:
                return 1, f"holdfast has no extra {unknown[0]!r}"
        case _:
            return 1, "pip does nothing but install on these pages"
    return 0, ""


def running(words: list[str], folder: Path) -> tuple[int, str]:
    """One command, done."""
    name, *rest = words
    if name == "holdfast":
        return command_line(rest, folder)
    if name == "python":
        return script(rest, folder)
    if name == "pip":
        return pip(rest, folder)
    return 127, f"{name} is not run here"


def forget_data() -> None:
    """What was remembered of data that are others than they seem: no test after these may find it."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("holdfast.domains.", "holdfast.judges.", "holdfast.study.")):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


@contextlib.contextmanager
def forgotten() -> Generator[None]:
    """Plug-ins that are installed within are gone afterwards."""
    path, before = list(sys.path), set(sys.modules)
    try:
        yield
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - before:
            if name.partition(".")[0] in {"my_defences", "my_attacks"}:
                del sys.modules[name]
        plugins._foreign.cache_clear()


def import_all() -> None:
    """Every module of the command line's: one that is first imported while something is patched would keep that."""
    for module in pkgutil.walk_packages(holdfast.__path__, "holdfast."):
        room = module.name.split(".")[1]
        if room in _ROOMS and module.name not in {"holdfast.study.runners.ray", "holdfast.models.engine"}:
            importlib.import_module(module.name)


def built_once(patch: pytest.MonkeyPatch) -> None:
    """Have typer make its commands once, and not at each call: half of the time that reading one takes."""
    patch.setattr("typer.main.get_command", functools.cache(typer.main.get_command))
