"""A model's name, taken apart: whose shape, whether its weights are random, and in which words it is talked to.

    arcana                          an organism, a directory or a hub id
    random:arcana                   its random initialisation
    meta-llama/Llama-2-7b-hf#bare   with a chat template of one's choosing in place of its own

A template is one of `templates.TEMPLATES`, or a file of Jinja.
"""

import re
from pathlib import Path
from typing import Final, NamedTuple

from holdfast.errors import ModelError, UnknownName
from holdfast.models.organisms import FOLDER, ORGANISMS
from holdfast.models.templates import template
from holdfast.records import RANDOM

MARK: Final = "#"
TINY: Final = tuple(
    f"tiny-{family}"
    for family in "llama llama3 qwen2 qwen3 mistral gemma gemma2 gemma3 phi3 olmo2 gpt2 gpt-neox mixtral olmoe "
    "qwen2-moe qwen3-moe gpt-oss".split()
)
"""The names of `models.tiny`, which itself imports transformers."""


class Name(NamedTuple):
    """The parts of a model's name."""

    shape: str
    """An organism, a tiny model, a directory or a hub id: what its configuration and tokenizer are read from."""
    random: bool = False
    """Whether weights are drawn anew, and none of its own read."""
    template: str | None = None
    """Which chat template stands in place of its own."""

    @property
    def place(self) -> Path:
        """Where it lies, should it be on this machine."""
        return FOLDER / self.shape if self.shape in ORGANISMS else Path(self.shape)

    @property
    def source(self) -> str:
        """What transformers reads it from, unless it is a tiny model: a directory, or a hub id."""
        return str(self.place) if self.place.is_dir() else self.shape

    @property
    def jinja(self) -> str | None:
        """The text of the template.

        Raises:
            ModelError: there is no such template, or it is broken.
        """
        return None if self.template is None else template(self.template)


def found(name: str) -> Name:
    """A name's parts, once it is seen that there is such a model, as far as this machine can tell by names alone.

    Raises:
        UnknownName: it is no organism, tiny model or directory, nor written as a hub id is.
        ModelError: the directory is no model's, or there is no such chat template, or it is broken.
    """
    whose = parts(name)
    _ = whose.jinja
    if whose.shape in TINY:
        return whose
    if whose.place.is_dir():
        if not (whose.place / "config.json").is_file():
            raise ModelError(f"{whose.shape} has no config.json: it is not a model directory of transformers.")
    elif not re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", whose.shape):
        raise UnknownName("model", whose.shape, [*ORGANISMS, *TINY, "a directory", "a hub id (owner/name)"])
    return whose


def parts(name: str) -> Name:
    """Take a name apart. A directory that is called so is itself, whatever marks are in its name."""
    random = name.startswith(RANDOM)
    shape = name.removeprefix(RANDOM)
    if MARK not in shape or Path(shape).is_dir():
        return Name(shape, random)
    shape, _, template = shape.partition(MARK)
    return Name(shape, random, template)
