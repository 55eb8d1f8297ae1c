"""The house: its rooms import downward only, its tree is told in the README, its files are named for what they are."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "holdfast"
VAGUE = {"utils", "util", "helpers", "helper", "common", "base", "misc", "shared"}


def test_imports_run_one_way():
    """The contracts of [tool.importlinter] in pyproject.toml."""
    from importlinter.cli import lint_imports

    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def tree_of_the_readme() -> set[str]:
    """The files of the block under "## The tree": one a line, by indentation, a comment after two blanks.

    A folder's line tells of its `__init__.py`.
    """
    _, _, rest = (ROOT / "README.md").read_text().partition("\n## The tree\n")
    told: set[str] = set()
    above: list[tuple[int, str]] = []
    for line in rest.partition("\n## ")[0].splitlines():
        name = line.strip().partition("  ")[0]
        if not re.fullmatch(r"[\w./-]+(/|\.\w+)", name):
            continue
        depth = len(line) - len(line.lstrip())
        above = [(indent, folder) for indent, folder in above if indent < depth]
        path = "".join(folder for _, folder in above) + name
        if name.endswith("/"):
            above.append((depth, name))
        told.add(path + "__init__.py" if name.endswith("/") else path)
    return {path.removeprefix("src/holdfast/") for path in told if path.startswith("src/holdfast/")}


def test_the_readme_names_every_file():
    told = tree_of_the_readme()
    if not told:
        pytest.skip("the README has no tree yet")
    assert told == {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py")}


def test_no_file_is_named_for_nothing():
    vague = [path for path in PACKAGE.rglob("*.py") if path.stem.strip("_") in VAGUE]
    assert vague == []


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name]


def test_no_file_knows_the_machine_it_was_written_on():
    """No home directory, no temporary directory of somebody's, no private package index."""
    # Put together here, so that this file does not find itself.
    places = ["/ho" + "me/", "/Us" + "ers/", "/wo" + "rk/", "/ro" + "ot/"]
    places += ["index" + "-url", "pypi" + "server", "proxy" + "."]
    found: list[str] = []
    for path in tracked():
        if path.suffix in {".safetensors", ".png"} or not path.is_file():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            found += [f"{path.relative_to(ROOT)}:{number}: {place}" for place in places if place in line]
    assert found == []


def test_every_file_says_what_it_is():
    silent = [
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob("*.py")
        if not re.match(r'(#!.*\n)?r?"""\S', path.read_text())
    ]
    assert silent == []


def test_no_two_files_of_tests_have_one_name():
    """pytest imports them by their names, and would stop at the second."""
    names = sorted(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert names == sorted(set(names))
