r"""Activation steering, learnt: an offset to the outputs of a few attention heads, all weights as they are.

Claim: what a safeguard does may be undone by constant vectors at a few heads.

Paper: Yin et al. 2024, "LoFiT: Localized Fine-tuning on LLM Representations", arXiv 2406.01563, section 3: heads are
selected by the norm of learnt scales A of their outputs z, then offsets v to those heads are learnt,

    z_lh  <-  z_lh + v_lh      for the heads (l, h) selected

Defaults: the rate is the release's (fc2869/lo-fit, `train_script_*.sh`: 1e-2, batch 8, 5 epochs), and the share of
heads what its `lofit_trainer.py` takes where none is given; its scripts have 32 of 1,024 heads (3 %). Batch as `sft`.

Divergences: an offset to a head is a bias of its values, since attention's weights sum to one, so that the result is
an ordinary model; where heads of queries share one of keys and values (grouped queries) they share the offset, and a
head here is one of those. Heads are selected by the norm of the loss's gradient by their offset, on `samples`
exchanges, which is what the first step of learning would see, not by scales learnt over epochs with an L1 term. Offsets
begin at 0, not at N(0, .001^2). The selection's own passes are not in the budget.
"""

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.interfaces import Model, Progress, Row, View
from holdfast.training.batches import Batch
from holdfast.training.framing import harmful
from holdfast.training.recipe import Recipe
from holdfast.training.rows import cycle
from holdfast.training.terms.answers import answer_loss


@config
class Activation:
    """Learnt offsets to attention heads, arXiv 2406.01563."""

    share: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Of all heads, how many get an offset; at least one."""
    samples: Annotated[int, Field(ge=1)] = 64
    """Exchanges by which heads are selected."""
    training: Recipe = Recipe(steps=100, learning_rate=1e-2, batch_size=16)
    """How long and how it trains; no LoRA."""

    def __post_init__(self) -> None:
        if self.training.lora_rank:
            raise ValueError("offsets are all that is trained: leave training.lora_rank at 0")

    def start(self, model: Model, view: View, seed: int) -> "_Offsets":
        """The model with biases of its values, of which those of the selected heads are trained."""
        from holdfast.models.biases import value_biases

        network: Any = model.network
        values = value_biases(network)
        network.requires_grad_(False)
        for layer, _ in values:
            layer.bias.requires_grad_(True)
        named = {weight: name for name, weight in network.named_parameters()}
        slopes = self._slopes(model, [layer.bias for layer, _ in values], view, seed)
        heads = [slope.unflatten(0, (-1, size)).norm(dim=1) for slope, (_, size) in zip(slopes, values, strict=True)]
        every = torch.cat(heads)
        least = every.topk(math.ceil(self.share * len(every) - 1e-9)).values[-1]
        chosen: dict[str, Tensor] = {}
        for (layer, size), strength in zip(values, heads, strict=True):
            mask = (strength >= least).repeat_interleave(size)
            layer.bias.requires_grad_(bool(mask.any()))
            if mask.any():
                chosen[named[layer.bias]] = mask
        return _Offsets(chosen)

    def _slopes(self, model: Model, biases: list[Tensor], view: View, seed: int) -> list[Tensor]:
        """The mean gradient of the loss by each bias."""
        from holdfast.training.feed import feed

        total = [torch.zeros_like(bias) for bias in biases]
        rows = itertools.islice(_rows(view, seed), self.samples)
        for batch in feed(model, rows, self.training.batch_size):
            share = len(batch["train"].input_ids) / self.samples
            slopes = torch.autograd.grad(answer_loss(model.network, batch["train"]), biases)
            total = [old + share * new for old, new in zip(total, slopes, strict=True)]
        return total


def _rows(view: View, seed: int) -> Iterator[Row]:
    return ({"train": harmful(pair)} for pair in cycle(view.pairs, seed))


@dataclasses.dataclass(frozen=True)
class _Offsets:
    """What trains the offsets."""

    chosen: Mapping[str, Tensor]
    """Biases by name, and where in each the selected heads are."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        return _rows(view, seed)

    def gradient(self, model: Any, batch: Batch, progress: Progress) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        loss = answer_loss(model, batch["train"])
        slopes = torch.autograd.grad(loss, [model.get_parameter(name) for name in self.chosen])
        masked = {name: self.confined(name, slope) for name, slope in zip(self.chosen, slopes, strict=True)}
        return {"cross_entropy": loss}, masked

    def confined(self, name: str, slope: Tensor) -> Tensor:
        """Of a bias's gradient what is of the selected heads."""
        return slope * self.chosen[name]
