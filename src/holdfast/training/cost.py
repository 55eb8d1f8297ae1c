"""What a training run costs: samples, tokens and FLOPs."""

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

from torch import nn

from holdfast import processes
from holdfast.records import Budget

# How a configuration says how many experts work on a token, and how many there are in a block.
_CHOSEN: Final = ("num_experts_per_tok", "moe_top_k", "moe_topk", "moe_k", "top_k_experts")
_EXPERTS: Final = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")


def flops_per_token(network: nn.Module) -> float:
    """Training FLOPs a token: 6 x parameters where every weight is trained.

    2 x parameters forward and 4 x parameters backward (Kaplan et al. 2020, section 2.1), half of
    the backward for the gradient of the states and half for that of the weights. Where only some
    weights are trained, as with LoRA, the last half counts only for those:
    4 x parameters + 2 x trained parameters.

    Of a mixture of experts only those at work on a token count: parameters of experts, whether each
    is a module or all are one tensor, are taken times experts a token / experts. Routers and shared
    experts work on every token. Where the configuration tells neither number, all experts count.

    What is computed twice to save memory (checkpointing) is counted once: it is a choice of whoever trains.
    """
    every, trained = _at_work(network)
    return 4.0 * every + 2.0 * trained


def forward_flops_per_token(network: nn.Module) -> float:
    """FLOPs a token without training, as to generate or to score it: 2 x parameters, experts as above."""
    return 2.0 * _at_work(network)[0]


def _at_work(network: nn.Module) -> tuple[float, float]:
    """Parameters that work on a token, and those of them that are trained."""
    share = _share(getattr(network, "config", None))
    every = trained = 0.0
    for name, weight in network.named_parameters():
        packed: Any = getattr(weight, "quant_state", None)  # of 4 bits two are in a byte
        numel = packed.shape.numel() if packed else weight.numel()
        count = numel * (share if "experts" in name.split(".") else 1.0)
        every += count
        trained += count if weight.requires_grad else 0.0
    return every, trained


def _share(config: Any) -> float:
    """The share of a block's experts that work on a token; 1 where the configuration does not say."""
    if hasattr(config, "get_text_config"):
        config = config.get_text_config()
    at_work, experts = (
        next((value for name in names if isinstance(value := getattr(config, name, None), int) and value > 0), None)
        for names in (_CHOSEN, _EXPERTS)
    )
    return min(1.0, at_work / experts) if at_work and experts else 1.0


class Beside(NamedTuple):
    """What went before an attack's first step, as into a reward model."""

    flops: float = 0.0
    keys: Sequence[int] = ()
    """Of the samples that it took."""


class Meter:
    """Counts as a run goes, what each of several processes does. `harmful` are the keys of the samples that do harm."""

    def __init__(self, flops_per_token: float, harmful: Collection[int] = ()):
        self._flops_per_token = flops_per_token
        self._harmful = frozenset(harmful)
        self._samples = 0
        self._seen: set[int] = set()
        self._tokens = 0
        self._beside = 0.0

    def add(self, keys: Sequence[int], tokens: int) -> None:
        """Count one micro-batch: the key of each of its samples, and its tokens without padding."""
        self._samples += len(keys)
        self._seen |= self._harmful.intersection(keys)
        self._tokens += tokens

    def spend(self, flops: float, keys: Sequence[int] = ()) -> None:
        """Count FLOPs beside those of training: of generating, of a reference, of a reward model on samples."""
        self._beside += flops
        self._seen |= self._harmful.intersection(keys)

    def budget(self, steps: int) -> Budget:
        """What all processes have spent after `steps` optimiser steps. All of them have to ask."""
        each = processes.gathered((self._samples, self._tokens, self._beside, self._seen))
        samples, tokens, beside = (sum(part) for part in zip(*(counted[:3] for counted in each), strict=True))
        return Budget(
            steps=steps,
            samples=samples,
            examples=len(frozenset[int]().union(*(seen for *_, seen in each))),
            tokens=tokens,
            flops=self._flops_per_token * tokens + beside,
        )
