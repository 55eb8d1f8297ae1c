"""The hash of the code that decides a result: some modules, and all of their package that they import."""

import ast
import functools
import hashlib
import importlib.util
import sys
import warnings
from collections.abc import Iterable, Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Final

from holdfast.config import content_hash

_SUFFIXES: Final = (*EXTENSION_SUFFIXES, ".py")


def code_hash(modules: Iterable[str]) -> str:
    """One hash for the sources of modules and what they import, directly or not, of their own packages and Holdfast.

    What is imported inside a function counts too, and every package on the way: too much is hashed, never too
    little. What is imported for type checking alone does not run. Nothing is imported for it. Modules that are
    looked up by a name made at run time, such as plug-ins, have to be named.
    """
    seen: set[str] = set()
    left = list(modules)
    while left:
        module = left.pop()
        if module not in seen:
            seen.add(module)
            left += _source(module)[1]
    return _together(frozenset(seen))


@functools.cache
def _together(modules: frozenset[str]) -> str:
    return content_hash({module: _source(module)[0] for module in modules})


@functools.cache
def _source(module: str) -> tuple[str, tuple[str, ...]]:
    """The hash of one module's file, and those modules that are imported with it or by it."""
    path = _file(module)
    above = module.rpartition(".")[0]
    around = (above,) if above else ()
    if path is None:
        return "", around
    content = path.read_bytes()
    package = module if path.name == "__init__.py" else above
    nodes = _run(_parsed(content)) if path.suffix == ".py" else ()
    found = {name for node in nodes for name in _imported(node, package)}
    own = {"holdfast", module.partition(".")[0]}
    near = sorted(name for name in found if name.partition(".")[0] in own and _file(name))
    return hashlib.sha256(content).hexdigest(), (*around, *near)


def _parsed(content: bytes) -> ast.AST:
    with warnings.catch_warnings():
        # Python says it again where the module is imported.
        warnings.simplefilter("ignore")
        try:
            return ast.parse(content)
        except (SyntaxError, ValueError):
            return ast.Module(body=[], type_ignores=[])  # it cannot be imported, and imports nothing


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, without what is there for type checking alone."""
    yield node
    below: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
        below = node.orelse
    for child in below:
        yield from _run(child)


def _imported(node: ast.AST, package: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        try:
            home = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
        except ImportError:
            return []  # relative to a package that there is not
        # What is imported from a package may be a module of it.
        return [home, *(f"{home}.{alias.name}" for alias in node.names)]
    return []


@functools.cache
def _file(module: str) -> Path | None:
    """Where a module's code lies; found without importing anything, not even the packages on the way."""
    top, *parts = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except ValueError:
        # A script that is run has no spec.
        script = getattr(sys.modules.get(top), "__file__", None)
        return Path(script) if script and not parts else None
    if spec is None:
        return None
    if not parts:
        return Path(spec.origin) if spec.has_location and spec.origin and Path(spec.origin).is_file() else None
    # Where Python looks, in its order; a namespace package has several places, and no file of its own.
    candidates = (
        path
        for home in spec.submodule_search_locations or ()
        for place in [Path(home, *parts)]
        for path in (place / "__init__.py", *(place.with_name(place.name + suffix) for suffix in _SUFFIXES))
    )
    return next((path for path in candidates if path.is_file()), None)
