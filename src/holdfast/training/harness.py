"""The one subclass of transformers.Trainer: every shape of method is driven from here.

It is also a mix-in. A guard on somebody else's trainer is `class X(Harness, GRPOTrainer)`, which
`guarded` makes: a trainer of any kind that the guard watches over.
"""

import functools
import hashlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final, cast

import torch
from accelerate import DistributedType
from torch import Tensor, nn
from torch.utils.data import SequentialSampler
from transformers import Trainer, set_seed

from holdfast import processes
from holdfast.errors import Diverged
from holdfast.interfaces import Progress
from holdfast.records import Score
from holdfast.training.around import Around
from holdfast.training.averaged import average
from holdfast.training.batches import as_batch
from holdfast.training.cost import Beside, Meter
from holdfast.training.rng import preserved_rng
from holdfast.training.through import Compute, open_up, split_again, through

_BESIDE: Final = "beside "
"""Before the name of a term that is a guard's, while it comes through a forward pass with a method's own."""


class Harness(Trainer):
    """Trainer, for methods by loss or by gradient, and for guards on any trainer.

    What it owns, so that no method has to:

    - **accumulation**: every term is a mean over its micro-batch and is divided by the number of
      micro-batches, exactly once, whatever the trainer underneath does with its own loss;
    - **gradients**: a method returns them, the harness scales and adds them to `.grad`;
    - **processes**: a method is given the network itself, and what it computes is computed where DDP, FSDP2 or
      DeepSpeed see it; every process has rows of its own, and a gradient is the mean over all;
    - **the RNG**: a method by gradient, and a guard, may draw as they like without moving it;
    - **divergence**: a loss or a gradient that is not finite raises Diverged before any weight
      moves, so the weights then are the last good ones.
    """

    def __init__(self, *args: Any, method: Any = None, guard: Any = None, meter: Meter | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.attach(method=method, guard=guard, meter=meter)

    def attach(self, *, method: Any = None, guard: Any = None, meter: Meter | None = None) -> None:
        """Set what drives the run: for a trainer that was built before its class became a guarded one."""
        self.method = method
        self.guard = guard
        self.meter = meter
        self.terms: dict[str, float] = {}
        """The named loss terms of the last micro-batch."""
        self.spent = Beside()
        """Before its first step."""
        self.spoilt = False
        """Whether weights have moved by a gradient that was not finite."""
        self._draws = 0
        if method is not None:
            self.loss_is_scaled_for_ga = False
        self.add_callback(Around(self))

    def told(self) -> dict[str, Score]:
        """What the trainer itself has measured since it was last asked, such as rewards; nothing by default."""
        own = getattr(super(), "told", None)
        return own() if own else {}

    @property
    def progress(self) -> Progress:
        """Where the run stands, in optimiser steps."""
        return Progress(self.state.global_step, max(1, self.state.max_steps))

    def _get_train_sampler(self, *args: Any, **kwargs: Any) -> Any:
        # Rows come already in the order of training; a foreign trainer keeps its own sampler.
        if self.method is not None:
            return SequentialSampler(self.train_dataset)  # type: ignore[arg-type]
        return super()._get_train_sampler(*args, **kwargs)

    def train(self, *args: Any, **kwargs: Any) -> Any:
        """The run. Its guard is told of its end in whatever way it ends, so that nothing of the guard stays behind."""
        if self._wrapped:
            open_up(self.model)
        try:
            return super().train(*args, **kwargs)
        finally:
            if hasattr(self.guard, "finish"):
                self.guard.finish(self.model)

    def training_step(self, model: nn.Module, inputs: Any, num_items_in_batch: Any = None) -> Tensor:
        """One micro-batch forward and backward, by whichever shape drives it."""
        model.train()
        own = self._replaced(model)
        if own is not None:
            return self._apply(own)  # it costs the guard, and not whose step it was
        if self.meter is not None and self.method is not None:  # a foreign trainer's batches are its own to count
            parts = list(inputs.values())
            self.meter.add(parts[0]["keys"].tolist(), tokens=sum(int(part["attention_mask"].sum()) for part in parts))
        if hasattr(self.method, "gradient"):
            return self._add_gradient(model, self._prepare_inputs(inputs))
        loss = super().training_step(model, inputs, num_items_in_batch)
        if processes.fsdp():
            split_again(self.model)
        return loss

    def compute_loss(
        self, model: nn.Module, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The method's loss or the foreign trainer's own, and a guard's penalty."""
        if self.method is not None:
            own, beside = self._both(model, inputs)
            result, outputs = self._sum(own), None
        else:
            answer: Any = super().compute_loss(
                model, inputs, return_outputs=return_outputs, num_items_in_batch=num_items_in_batch
            )
            result, outputs = answer if return_outputs else (answer, None)
            beside = self._penalty(model, inputs)
        if beside:  # a guard whose weights are all 0 has none
            share = self.current_gradient_accumulation_steps if self._scales_its_own_loss(num_items_in_batch) else 1
            result = result + self._sum(beside) / share
        return (result, outputs) if return_outputs else result

    def _both(self, model: nn.Module, inputs: Any) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor]]:
        """The method's terms and the guard's, of one forward pass: DDP sees no second one before the backward pass."""

        def compute(network: Any) -> dict[str, Tensor]:
            own: Mapping[str, Tensor] = self.method.loss(network, as_batch(inputs), self.progress)
            beside = self._penalty(network, inputs)
            return {**own, **{f"{_BESIDE}{name}": term for name, term in beside.items()}}

        terms = self._within(model, compute)
        beside = {name.removeprefix(_BESIDE): term for name, term in terms.items() if name.startswith(_BESIDE)}
        return {name: term for name, term in terms.items() if not name.startswith(_BESIDE)}, beside

    @property
    def _wrapped(self) -> bool:
        """Whether the network is called from around it: there are several processes, or DeepSpeed trains."""
        return self.accelerator.distributed_type != DistributedType.NO

    def _within(self, model: nn.Module, compute: Compute) -> Mapping[str, Tensor]:
        """Terms made within a forward pass of what is wrapped around the network; just made where nothing is."""
        if self._wrapped:
            return through(model, compute)
        with self.accelerator.autocast():
            return compute(model)

    def _replaced(self, model: nn.Module) -> Mapping[str, Tensor] | None:
        if not hasattr(self.guard, "replace_step"):
            return None
        told: list[Mapping[str, Tensor] | None] = []

        def compute(network: Any) -> Mapping[str, Tensor]:
            told.append(self.guard.replace_step(network, self.progress))
            return told[0] or {}

        with self.drawing():
            terms = self._within(model, compute)
        return terms if told[0] is not None else None

    def _apply(self, terms: Mapping[str, Tensor]) -> Tensor:
        return self._backward(self._sum(terms) / self.current_gradient_accumulation_steps)

    def _backward(self, loss: Tensor) -> Tensor:
        """A guard's own gradient, where the method trains only a part of a weight confined to that part."""
        self.accelerator.backward(loss)
        if hasattr(self.method, "confined"):
            for name, weight in cast(nn.Module, self.model).named_parameters():
                if weight.grad is not None:
                    weight.grad = self.method.confined(name, weight.grad)
        return loss.detach()

    def _add_gradient(self, model: nn.Module, inputs: Any) -> Tensor:
        network: Any = self.accelerator.unwrap_model(model)  # nothing needs to see it: gradients are averaged here
        with self.drawing(), self.accelerator.autocast():
            terms, gradient = self.method.gradient(network, as_batch(inputs), self.progress)
        share = 1 / self.current_gradient_accumulation_steps
        loss = self._sum(terms).detach() * share
        weights: dict[str, Tensor] = dict(network.named_parameters())
        for name, part in gradient.items():
            weight = weights[name]
            weight.grad = part * share if weight.grad is None else weight.grad + part * share
        if penalty := self._penalty(network, inputs):
            loss = loss + self._backward(self._sum(penalty) * share)
        if self._wrapped and self.accelerator.sync_gradients:
            average([weight for weight in weights.values() if weight.requires_grad])
        return loss

    def _penalty(self, model: nn.Module, inputs: Any) -> Mapping[str, Tensor]:
        """What a guard adds to a step; nothing where it adds nothing."""
        if not hasattr(self.guard, "penalty") or not model.training:
            return {}
        with self.drawing(), self.accelerator.autocast():
            return self.guard.penalty(model, inputs, self.progress)

    @contextmanager
    def drawing(self) -> Generator[None, None, None]:
        """Draws of a method's own: other ones each time, and the global RNG is where it was afterwards."""
        self._draws += 1
        digest = hashlib.blake2b(f"{self.args.seed}/{self._draws}".encode(), digest_size=4).digest()
        with preserved_rng():
            set_seed(int.from_bytes(digest))
            yield

    def _sum(self, terms: Mapping[str, Tensor]) -> Tensor:
        values = {name: float(term.detach()) for name, term in terms.items()}
        self.terms |= values
        total = torch.stack([term.float().reshape(()) for term in terms.values()]).sum()
        # All processes stop where one has to, or the others would wait for it.
        for finite, each in processes.gathered((bool(torch.isfinite(total.detach())), values)):
            if not finite:
                raise Diverged(self.state.global_step, each)
        return total

    def _scales_its_own_loss(self, num_items_in_batch: Any) -> bool:
        """Whether the trainer underneath divides its loss by the accumulation; `Trainer.training_step` decides so."""
        if self.loss_is_scaled_for_ga is not None:
            return self.loss_is_scaled_for_ga
        return (self.model_accepts_loss_kwargs and num_items_in_batch is not None) or self.compute_loss_func is not None


@functools.cache
def guarded(trainer: type[Trainer]) -> type[Harness]:
    """A trainer of the given class that takes `guard=...` beside its own arguments."""
    return cast(type[Harness], type(f"Guarded{trainer.__name__}", (Harness, trainer), {}))
