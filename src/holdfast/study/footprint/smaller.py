"""A model of the same shape with fewer blocks, its weights drawn at random: what a run is measured on beforehand."""

import copy
import itertools
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from holdfast.interfaces import Model
from holdfast.models import devices
from holdfast.models.anatomy import anatomy
from holdfast.models.blocks import PER_LAYER
from holdfast.models.chat import with_template
from holdfast.models.naming import TINY, found
from holdfast.models.reading import hushed, reading
from holdfast.models.save import save
from holdfast.models.tiny import tiny
from holdfast.models.tokenizer import tokenizer_of


class Shape:
    """The shape of a model: its configuration and its tokenizer. None of its weights is read."""

    def __init__(self, name: str, *, trust_remote_code: bool = False):
        """Read it.

        Args:
            name: as for `models.load`.
            trust_remote_code: whether code that comes with the model may run.

        Raises:
            UnknownName: the name is none of these.
            ModelError: its configuration or its tokenizer cannot be read, or is none that a run could use.
        """
        self._remote = trust_remote_code
        whose = found(name)
        if whose.shape in TINY:
            made = tiny(whose.shape)
            self._config: Any = made.network.config
            self._tokenizer: Any = made.tokenizer
        else:
            with reading(f"read the configuration of {name}"):
                self._config = AutoConfig.from_pretrained(whose.source, trust_remote_code=trust_remote_code)
                self._tokenizer = tokenizer_of(whose.source, trust_remote_code=trust_remote_code)
        with_template(self._tokenizer, whose)
        self._check()

    def _check(self) -> None:
        """See that it is a decoder whose parts are known."""
        with reading(f"make a model of the configuration of {type(self._config).__name__}"):
            anatomy(self._outline(1))

    @property
    def blocks(self) -> int:
        """How many blocks it has."""
        return self._config.get_text_config().num_hidden_layers

    @property
    def period(self) -> int:
        """After how many blocks their kinds repeat: 1 where all are alike, 6 in Gemma 3."""
        kinds = getattr(self._config.get_text_config(), "layer_types", None) or [""]
        for period in range(1, len(kinds)):
            if all(a == b for a, b in zip(kinds, itertools.islice(kinds, period, None), strict=False)):
                return period
        return 1 if len({*kinds}) == 1 else len(kinds)

    def parameters(self, blocks: int | None = None) -> int:
        """How many weights it has, or would have with so many blocks."""
        return sum(weight.numel() for weight in self._outline(blocks or self.blocks).parameters())

    def _outline(self, blocks: int) -> Any:
        """The network without any numbers in its weights."""
        with torch.device("meta"), hushed():
            return AutoModelForCausalLM.from_config(self._with(blocks), trust_remote_code=self._remote)

    @property
    def stored(self) -> torch.dtype:
        """The type its weights are stored in; where its configuration does not say, the largest there is."""
        return getattr(self._config, "dtype", None) or torch.float32

    def write(self, blocks: int, place: Path) -> None:
        """A model of this shape with so many blocks and random weights, as a directory; stored as it is."""
        with torch.random.fork_rng(devices.drawing()), hushed():
            torch.manual_seed(0)
            network: Any = AutoModelForCausalLM.from_config(
                self._with(blocks), dtype=self.stored, trust_remote_code=self._remote
            )
        save(Model(network=network, tokenizer=self._tokenizer, name="smaller", origin={}), place)

    def _with(self, blocks: int) -> Any:
        config = copy.deepcopy(self._config)
        text = config.get_text_config()
        for name in PER_LAYER:
            if isinstance(listed := getattr(text, name, None), list):
                setattr(text, name, listed[:blocks])
        text.num_hidden_layers = blocks
        return config
