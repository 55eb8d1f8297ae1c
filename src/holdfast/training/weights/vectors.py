"""Low-rank changes of a network that are switched on and off, and never touch a weight."""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.hooks import RemovableHandle

from holdfast.errors import ModelError
from holdfast.interfaces import Model, View
from holdfast.models.anatomy import inside_adapter
from holdfast.models.frozen import copied


class Vector(NamedTuple):
    """What is added to one linear layer's output, x -> scale B A x: what a LoRA of rank R learns."""

    down: Float[Tensor, "R I"]
    up: Float[Tensor, "O R"]
    scale: float

    def __call__(self, x: Float[Tensor, "*B I"]) -> Float[Tensor, "*B O"]:
        """The addition, on the device and in the precision of its input."""
        return self.scale * functional.linear(functional.linear(x, self.down.to(x)), self.up.to(x))


class Vectors:
    """The changes of a network's layers, by layer name. They get no gradient."""

    def __init__(self, changes: Mapping[str, Vector], lists: Mapping[str, int] | None = None):
        """Off at first.

        Args:
            changes: what each layer's output gets.
            lists: how long each list of modules is, by its name, in the network that they were learnt on.
        """
        self._changes = changes
        self._lists = lists or {}
        self._handles: list[RemovableHandle] = []

    def switch_on(self, network: Any) -> None:
        """Let every forward pass have them, until they are switched off; a user's adapter may lie around a layer.

        Raises:
            ModelError: the network has more or fewer blocks than they were learnt on: names are of other layers.
        """
        self.switch_off()
        whole: nn.Module = inside_adapter(network)
        there = _lists(whole) if self._lists else {}
        for name, count in self._lists.items():
            if (now := there.get(name, 0)) != count:
                raise ModelError(
                    f"vectors were learnt on {count} modules in {name!r}, where there are {now} now: they belong to "
                    "other layers. Train the network without adding or taking out blocks, or without this guard."
                )
        for name, change in self._changes.items():
            self._handles.append(whole.get_submodule(name).register_forward_hook(_adding(change)))

    def switch_off(self) -> None:
        """Leave the network as it was; nothing happens where they are off already."""
        while self._handles:
            self._handles.pop().remove()


def _lists(network: nn.Module) -> dict[str, int]:
    """How long each list of modules is, as that of the blocks or of a block's experts, by name."""
    return {name: len(part) for name, part in network.named_modules() if isinstance(part, nn.ModuleList)}


def _adding(change: Vector) -> Any:
    def add(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return output + change(inputs[0])

    return add


def learn(method: Any, model: Model, view: View, seed: int) -> Vectors:
    """Train a LoRA with a method by loss and keep its vectors; the model stays as it is.

    Args:
        method: has `rows`, `loss`, and a `training` recipe with a `lora_rank` above 0.
        model: a copy of its network is trained, and thrown away.
        view: the data of the method.
        seed: as for `training.run.apply`.

    Raises:
        Diverged: the loss was not finite.
    """
    from holdfast.training.lora import lora_changes  # both import transformers, which a look-up of settings must not
    from holdfast.training.run import apply

    learnt: list[Vectors] = []

    def keep(current: Model, *_: Any) -> None:
        learnt.append(Vectors(lora_changes(current.network), lists))

    lists = _lists(model.network)
    apart = dataclasses.replace(model, network=copied(model.network))
    # At the last rung the adapter is still apart; afterwards it is merged into the copy.
    apply(method, apart, view, seed=seed, ladder=(method.training.steps,), on_rung=keep)
    return learnt[-1]
