"""What a run trains of a model, and the ordinary model that it is on the way and at the end."""

import dataclasses
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import torch

from holdfast import processes
from holdfast.errors import ConfigError
from holdfast.interfaces import Model
from holdfast.models import devices
from holdfast.models.anatomy import anatomy
from holdfast.models.precision import cast, cast_back
from holdfast.training.lora import add_lora, lora_of, merge_lora, with_lora
from holdfast.training.quantised import in_four_bits
from holdfast.training.recipe import Recipe
from holdfast.training.rest import put_back, resting, state_of
from holdfast.training.rng import preserved_rng
from holdfast.training.split import outline, whole


class Subject:
    """A model in training.

    Its network is cast to the recipe's precision at once. Once a method has made of it what it wants, `begin` puts a
    LoRA on it, or on a copy in 4 bits; `at_rest` is the model as it is on the way, `end` what has come of it.
    """

    def __init__(self, model: Model, recipe: Recipe, on: torch.device):
        self._recipe = recipe
        self._on = on
        self.model = model
        """With the network that is trained."""
        self._before = state_of(model.network)
        self._given: Any = model.network
        # What is trained in 4 bits is a copy, and what came stays as it was.
        dtype = torch.bfloat16 if recipe.precision == "bf16" else torch.float32
        self._types = cast(model.network, dtype) if recipe.quantised == "none" else {}
        self._outline: Any = None
        self._adapted: Any = None
        """What came, with the LoRA that is trained over a copy of it."""

    def begin(self, started: Any) -> Model:
        """The model that is trained: as it came, and as it is to be asked now.

        Raises:
            ConfigError: a block that is to be frozen is not there.
        """
        recipe, network = self._recipe, self._given
        if recipe.quantised != "none":
            trained: Any = add_lora(in_four_bits(network, recipe, self._on), recipe)
            with preserved_rng():
                self._adapted = add_lora(network, recipe)
        else:
            trained = add_lora(network, recipe) if recipe.lora_rank else network
        _freeze(trained, recipe)
        self.model = dataclasses.replace(self.model, network=trained, ask=getattr(started, "ask", self.model.ask))
        if processes.placed():
            self._outline = outline(trained)
        return self.model

    @contextmanager
    def at_rest(self) -> Generator[Model]:
        """The model as it is now, to be measured by the main process. All processes have to ask."""
        network = self._ordinary(self.model.network)
        with resting(self.model.network), resting(network), self._plainly(network):
            home = network.device
            near = devices.nearer(network) if processes.main() else network
            yield dataclasses.replace(self.model, network=near)
            if near.device != home:
                near.to(home)

    def end(self) -> Model:
        """The trained model as an ordinary one: no gradients, no adapter, and as it came in but for its weights.

        All processes have to ask. Where weights were split, those of other processes than the main one are missing.
        """
        network = self._ordinary(self.model.network)
        if self._types:
            cast_back(network.get_base_model() if self._recipe.lora_rank else network, self._types)
        network = merge_lora(network) if self._recipe.lora_rank else network
        put_back(network, self._before)
        return dataclasses.replace(self.model, network=network)

    def _ordinary(self, trained: Any) -> Any:
        """The network with the weights that it has now, whole, and in full precision where it is trained in 4 bits."""
        if self._adapted is not None:
            return with_lora(self._adapted, lora_of(trained))
        return trained if self._outline is None else whole(trained, self._outline)

    @contextmanager
    def _plainly(self, network: Any) -> Generator[None]:
        """In mixed precision: without the `forward` that accelerate has put on it, which computes in bfloat16."""
        own = vars(network).pop("forward", None) if self._recipe.precision == "mixed" else None
        try:
            yield
        finally:
            if own is not None:
                network.forward = own


def _freeze(network: Any, recipe: Recipe) -> None:
    """Let what the recipe freezes have no gradient."""
    frozen = [network.get_output_embeddings()] if recipe.freeze_embeddings or recipe.freeze_head else []
    if recipe.freeze_embeddings:
        frozen.append(network.get_input_embeddings())
    if recipe.freeze_blocks:
        blocks = anatomy(network).blocks
        if max(recipe.freeze_blocks) >= len(blocks):
            raise ConfigError(f"freeze_blocks {recipe.freeze_blocks}: the model's blocks are 0 to {len(blocks) - 1}.")
        frozen += [blocks[number] for number in recipe.freeze_blocks]
    for part in frozen:
        part.requires_grad_(False)
    if not any(weight.requires_grad for weight in network.parameters()):
        raise ConfigError("everything is frozen, so that there is nothing to train: leave some of freeze_blocks out.")
