"""Runs that are made in one process, and in several: what is trained, how, and the weights that come of it.

As a program it makes them in the processes that a launcher has started, and the main one writes the weights:
`torchrun ... cases.py FOLDER DDP,FSDP2`.
"""

import os
import sys
from pathlib import Path
from typing import Any

import torch
from accelerate.state import AcceleratorState, DistributedType, GradientState, PartialState
from torch.distributed.tensor import DTensor

from holdfast import processes
from holdfast.config import replace
from holdfast.models.tiny import tiny
from holdfast.study.named import method
from holdfast.study.view import attacker, defender
from holdfast.training.run import apply
from small import TEXTS, FakeDomain

PLAIN = {"training.steps": 2, "training.batch_size": 8, "training.optimiser": "sgd", "training.learning_rate": 0.1}
LORA = {"training.lora_rank": 2, "training.lora_alpha": 2.0, "training.freeze_embeddings": False}
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "repnoise": ("defences", "repnoise", {}),
    "repnoise, checkpoints": ("defences", "repnoise", {"training.checkpointing": True}),
    "repnoise, LoRA": ("defences", "repnoise", LORA),
    "adversarial": ("defences", "adversarial", {}),
    "sft": ("attacks", "sft", {}),
    "vaccine": ("defences", "vaccine", {}),
}
"""By name: the kind of method, its name, and its settings beside `PLAIN`."""
FSDP2 = {"FSDP_VERSION": "2", "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP"}
"""What `accelerate launch` makes of examples/accelerate/fsdp2.yaml."""
BY_GRADIENT = ("vaccine",)


def trained(case: str, accumulation: int) -> tuple[bool, int, dict[str, torch.Tensor], list[Any]]:
    """Whether weights were split, over how many processes, the weights that came of it, and each rung's budget."""
    kind, name, settings = CASES[case]
    chosen = method(kind, name, {**PLAIN, **settings})
    chosen = replace(chosen, {"training": replace(chosen.training, {"accumulation": accumulation})})
    view = (attacker if kind == "attacks" else defender)(FakeDomain())
    rungs: list[Any] = []

    def on_rung(model: Any, budget: Any, _: Any) -> None:
        one = sum(float(weight.detach().double().sum()) for weight in model.network.parameters())
        rungs.append((budget.steps, budget.samples, budget.examples, budget.tokens, budget.flops, one))

    model, split = tiny(texts=TEXTS), []

    def on_step(*_: Any) -> None:
        split.append(any(isinstance(weight, DTensor) for weight in model.network.parameters()))

    done = apply(chosen, model, view, seed=3, ladder=(0, 1, 2), on_rung=on_rung, on_step=on_step)
    weights = {name: weight.detach().clone() for name, weight in done.network.named_parameters()}
    return any(split), processes.count(), weights, rungs


def _split_on_cpus() -> None:
    """accelerate has FSDP2 on GPUs alone; torch, which does the splitting, has it on CPUs as well."""
    plain = AcceleratorState.__init__

    def begin(self: Any, *args: Any, fsdp_plugin: Any = None, **kwargs: Any) -> None:
        plain(self, *args, fsdp_plugin=fsdp_plugin, **kwargs)
        if processes.fsdp():
            self.distributed_type, self.fsdp_plugin = DistributedType.FSDP, fsdp_plugin or self.fsdp_plugin

    AcceleratorState.__init__ = begin


def main(folder: str, ways: str) -> None:
    """Each case in each way, one after another in the same processes."""
    torch.set_num_threads(1)
    _split_on_cpus()
    for way in ways.split(","):
        os.environ |= {"ACCELERATE_USE_FSDP": str(way == "FSDP2").lower(), **FSDP2}
        for case in CASES:
            if way == "FSDP2" and case in BY_GRADIENT:
                continue
            for state in (AcceleratorState, GradientState, PartialState):
                state._reset_state()
            made = trained(case, accumulation=1)
            if processes.main():
                torch.save(made, Path(folder) / f"{way} {case}.pt")
    processes.leave()


if __name__ == "__main__":
    main(*sys.argv[1:])
