"""A study as a YAML file, every error with its line.

The keys are the fields of `design.Study`. `tiers` holds several sizes of one study, each a mapping of
keys that replace the study's own:

    defences: [repnoise]
    attacks: [sft, {name: sft, set: {training.batch_size: 1}, each: {training.learning_rate: [3e-4, 1e-3]}}]
    tiers:
      quick: {seeds: [0]}
      full: {seeds: [0, 1, 2, 3, 4], search: {trials: 48}}

Plain values are read as YAML 1.2.2, section 10.3 (core schema) says: 1e-4 is a number, `no` and a date are
text. Anchors, aliases and `<<` may be used, tags of one's own may not.
"""

import dataclasses
import re
from pathlib import Path
from typing import Any, Final

import yaml

from holdfast.config import to_dict
from holdfast.errors import ConfigError, DataError, UnknownName
from holdfast.study.check import check
from holdfast.study.design import Study, StudyError, Where

TIERS: Final = "tiers"
_KEYS: Final = tuple(field.name for field in dataclasses.fields(Study))
_LARGEST: Final = 100_000
"""Values in a file, aliases counted where they are used: a few lines of them can stand for billions."""
_TAG: Final = "tag:yaml.org,2002:"
_CORE: Final = {
    "null": (r"^(~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    "bool": (r"^(true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    "int": (r"^([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    "float": (r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$", list("-+.0123456789")),
    "merge": (r"^<<$", ["<"]),
}
"""What a plain value is read as: its pattern, and what it begins with."""


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own
    """Not PyYAML's, which are YAML 1.1's."""


class _Dumper(yaml.SafeDumper):
    """Puts in quotes what either version of YAML would read as anything but text."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Write everything out."""
        return True

    def serialize(self, node: yaml.Node) -> None:
        """One line a key at least."""
        assert isinstance(node, yaml.MappingNode)
        node.flow_style = False
        super().serialize(node)


for _name, (_pattern, _first) in _CORE.items():
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(_pattern), _first)
    _Dumper.add_implicit_resolver(_TAG + _name, re.compile(_pattern), _first)


def load(path: Path | str, tier: str | None = None) -> Study:
    """The study that a file describes, checked.

    Args:
        path: a YAML file. Where it gives no name, its own is the study's.
        tier: one of its `tiers`; the first where none is asked for.

    Raises:
        DataError: the file is missing, is none, or is no text.
        ConfigError: anything in it is wrong: `file:line: what`.
    """
    return _opened(path).study(tier)


def tiers(path: Path | str) -> list[str]:
    """The names of a file's tiers, in its order; errors as for `load`."""
    return _opened(path).tiers


def dump(study: Study) -> str:
    """A study as YAML, which `load` reads as an equal one: what is not as a default has it, in short forms."""
    usual = to_dict(Study())
    told = {key: _short(key, value) for key, value in to_dict(study).items() if key == "name" or value != usual[key]}
    return yaml.dump(told, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)


def _opened(path: Path | str) -> "_File":
    try:
        return _File(Path(path))
    except RecursionError:
        raise ConfigError(f"{path}:1: nested too deeply, or an anchor holds itself.") from None


def _short(key: str, value: Any) -> Any:
    """The value of a key in its short form: a method that is but a name, a pipeline of one, seeds that are the same."""
    match key:
        case "attacks" | "metrics":
            return [_short_method(method) for method in value]
        case "defences":
            steps = [_short("attacks", pipeline) for pipeline in value]
            return [pipeline[0] if len(pipeline) == 1 else pipeline for pipeline in steps]
        case "generalization":
            return [{part: _short(part, inner) for part, inner in one.items() if inner is not None} for one in value]
        case "search":
            return {part: inner for part, inner in value.items() if inner}
        case "seeds":
            return value["defence"] if value["defence"] == value["attack"] else value
        case _:
            return value


def _short_method(method: dict[str, Any]) -> Any:
    told = {key: value for key, value in method.items() if value}
    return told if len(told) > 1 else method["name"]


class _File:
    """What a file says, and on which line."""

    def __init__(self, path: Path):
        self.path = path
        self.root = self._composed(_read(path))
        self._left = _LARGEST
        self.values: dict[str, Any] = self._value(self.root)
        self._check_keys(self.root, (*_KEYS, TIERS))
        self.tiers = self._tiers()

    def study(self, tier: str | None) -> Study:
        """The study, with the keys of one tier in place of its own."""
        if tier is not None and tier not in self.tiers:
            known = (
                str(UnknownName("tier", tier, self.tiers)) if self.tiers else "there are no tiers here: ask for none."
            )
            raise self._error(self._line((TIERS,)), known)
        tier = next(iter(self.tiers), None) if tier is None else tier
        above: Where = () if tier is None else (TIERS, tier)
        chosen: dict[str, Any] = {} if tier is None else self.values[TIERS][tier] or {}
        own = {key: value for key, value in self.values.items() if key != TIERS}
        try:
            values: dict[str, Any] = {"name": self.path.stem, **own, **chosen}
            study = Study(**values)
            check(study)
        except StudyError as error:
            within = above if error.where and error.where[0] in chosen else ()
            raise self._error(self._line((*within, *error.where)), str(error)) from None
        return study

    def _composed(self, text: str) -> yaml.MappingNode:
        try:
            root = yaml.compose(text, _Loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            context = f"{error.context} on line {error.context_mark.line + 1}: " if error.context_mark else ""
            problem = "a tab where YAML wants blanks" if "'\\t'" in f"{error.problem}" else f"{error.problem}"
            raise self._error(mark.line + 1 if mark else 1, f"{context}{problem}.") from None
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise self._error(line, f"the character {error.character!r} may not stand in YAML.") from None
        if root is None:
            raise self._error(1, f"the file is empty: expected keys such as {', '.join(_KEYS[:5])}.")
        if not isinstance(root, yaml.MappingNode):
            raise self._error(
                1, f"a study is a mapping: expected keys such as {', '.join(_KEYS[:5])}, each with a colon."
            )
        return root

    def _tiers(self) -> list[str]:
        if TIERS not in self.values:
            return []
        told = self.values[TIERS]
        if not isinstance(told, dict) or not told:
            raise self._error(
                self._line((TIERS,)), "tiers: expected a mapping of names to the keys that each replaces."
            )
        for tier, node in self._entries(self._entries(self.root)[TIERS][1]).items():
            if told[tier] is None:
                continue
            if not isinstance(told[tier], dict):
                raise self._error(self._line((TIERS, tier)), f"tier {tier!r}: expected a mapping of keys to replace.")
            self._check_keys(node[1], _KEYS)
        return list(told)

    def _check_keys(self, node: yaml.Node, known: tuple[str, ...]) -> None:
        for key, (place, _) in self._entries(node).items():
            if key not in known:
                raise self._error(_at(place), str(UnknownName("key", key, known)))

    def _value(self, node: yaml.Node) -> Any:
        """What a node stands for, as JSON types."""
        self._left -= 1
        if self._left < 0:
            raise self._error(_at(node), f"the file comes to more than {_LARGEST} values.")
        match node.tag.removeprefix(_TAG):
            case "map":
                return {key: self._value(value) for key, (_, value) in self._entries(node).items()}
            case "seq":
                return [self._value(part) for part in node.value]
            case "str":
                return node.value
            case "null":
                return None
            case "bool":
                return node.value.lower() == "true"
            case "int" | "float" as kind:
                return self._number(node, kind)
            case _:
                raise self._error(_at(node), f"the tag {node.tag!r} is not allowed: write the value without it.")

    def _number(self, node: yaml.Node, kind: str) -> float:
        text: str = node.value
        try:
            return float(text) if kind == "float" else int(text, 0 if text[1:2] in {"o", "x"} else 10)
        except ValueError:
            raise self._error(_at(node), f"{text[:40]!r} is no number.") from None

    def _entries(self, node: yaml.Node) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """The keys of a mapping, each with its own node and its value's; those that `<<` brings come first."""
        own: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        brought: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            if key.tag == f"{_TAG}merge":
                for part in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    if not isinstance(part, yaml.MappingNode):
                        raise self._error(_at(part), "<< takes a mapping, or a list of them.")
                    brought = {**self._entries(part), **brought}
            elif key.tag != f"{_TAG}str":
                raise self._error(_at(key), f"the key {key.value!r} is no text: put it in quotes.")
            elif key.value in own:
                raise self._error(_at(key), f"{key.value!r} is given twice, first on line {_at(own[key.value][0])}.")
            else:
                own[key.value] = key, value
        return {**brought, **own}

    def _line(self, where: Where) -> int:
        """The line of what a way leads to, or of the last thing on it that the file has: short forms end early."""
        node: yaml.Node = self.root
        line = _at(node)
        for part in where:
            if isinstance(node, yaml.MappingNode) and isinstance(part, str):
                entries = self._entries(node)
                if part not in entries:
                    break
                key, node = entries[part]
                line = _at(key)
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
                if part >= len(node.value):
                    break
                node = node.value[part]
                line = _at(node)
        return line

    def _error(self, line: int, problem: str) -> ConfigError:
        return ConfigError(f"{self.path}:{line}: {problem}")


def _at(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}:{line}: not UTF-8 ({error.reason}): convert the file.") from None
    except IsADirectoryError:
        there = ", ".join(sorted(file.name for file in path.glob("*.yaml")))
        raise DataError(f"{path} is a directory: name a file of it ({there or 'it has no .yaml file'}).") from None
    except FileNotFoundError:
        there = ", ".join(sorted(file.name for file in path.parent.glob("*.yaml")))
        raise DataError(f"there is no {path}; {path.parent} has {there or 'no .yaml file'}.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
