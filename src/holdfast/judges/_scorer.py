"""Sequence classifiers: which version one is, and its weights, read once a process."""

import functools
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch

from holdfast.errors import ConfigError, ModelError
from holdfast.models.directory import directory_hash
from holdfast.models.reading import first_sentence, hushed

_KEPT: Final = 2
"""Classifiers that a process keeps in its memory."""
_EXPECTED: Final = (
    "Expected a sequence classifier with *.safetensors: a directory, or a hub id (download it first where there is no "
    "network)."
)


class Scorer(NamedTuple):
    """A network with a head of labels, and its tokenizer. It rests in the machine's memory, not in an accelerator's."""

    network: Any
    tokenizer: Any
    name: str

    @property
    def labels(self) -> list[str]:
        """What it tells apart, in the order of its head."""
        return [self.network.config.id2label[at] for at in range(self.network.config.num_labels)]

    def exclusive(self, independent: bool | None = None) -> bool:
        """Whether just one label holds of a text: there are several, and nobody says that each may hold by itself.

        Args:
            independent: whether each may, as somebody says; None is as the configuration does.
        """
        if independent is None:
            independent = self.network.config.problem_type == "multi_label_classification"
        return len(self.labels) > 1 and not independent


def version(name: str, revision: str) -> str:
    """What a classifier is: a hash of a directory's files, or a hub id with its commit. No weights are loaded.

    Raises:
        ModelError: there is no such classifier, neither here nor on the hub.
    """
    place = Path(name)
    if place.is_dir():
        return directory_hash(place)
    return f"{name}@{_commit(name, revision)}"


def loaded(name: str, revision: str) -> Scorer:
    """The classifier, read once a process for each version of it.

    Raises:
        ModelError: it cannot be read, has no weights as safetensors, or no trained head.
    """
    return _loaded(name, None if Path(name).is_dir() else _commit(name, revision), version(name, revision))


@functools.lru_cache(maxsize=_KEPT)
def _loaded(name: str, commit: str | None, _version: str) -> Scorer:
    from safetensors import SafetensorError
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    given: dict[str, Any] = {"revision": commit} if commit else {}
    try:
        with hushed(), torch.random.fork_rng():
            read: Any = AutoModelForSequenceClassification.from_pretrained(
                name, use_safetensors=True, output_loading_info=True, **given
            )
            tokenizer: Any = AutoTokenizer.from_pretrained(name, truncation_side="left", **given)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        raise ModelError(f"cannot load the classifier {name}: {_said(error)} {_EXPECTED}") from error
    network, told = read
    if told["missing_keys"]:
        lacks = ", ".join(sorted(told["missing_keys"])[:3])
        raise ModelError(f"{name} is no trained sequence classifier: it lacks {lacks}; choose one that has a head.")
    if tokenizer.pad_token_id is None:
        raise ModelError(f"the tokenizer of {name} has no pad token: set one and save it.")
    if network.config.problem_type == "regression":
        raise ConfigError(f"{name} is a regression: what it says is no probability of a label. Choose a classifier.")
    return Scorer(network.eval().requires_grad_(False), tokenizer, name)


@functools.lru_cache(maxsize=16)
def _commit(name: str, revision: str) -> str:
    """The commit of a hub's repository, from its configuration, which is downloaded if need be."""
    from huggingface_hub import hf_hub_download

    try:
        with hushed():
            return Path(hf_hub_download(name, "config.json", revision=revision or None)).parent.name
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot find the classifier {name}: {_said(error)} {_EXPECTED}") from error


def _said(error: Exception) -> str:
    return first_sentence(error).rstrip(".") + "."
