"""What a training run costs: samples, tokens and FLOPs."""

from collections.abc import Collection, Sequence

from torch import nn

from holdfast.records import Budget


def flops_per_token(network: nn.Module) -> float:
    """Training FLOPs a token: 6 x parameters where every weight is trained.

    2 x parameters forward and 4 x parameters backward (Kaplan et al. 2020, section 2.1), half of
    the backward for the gradient of the states and half for that of the weights. Where only some
    weights are trained, as with LoRA, the last half counts only for those:
    4 x parameters + 2 x trained parameters.
    """
    every = sum(weight.numel() for weight in network.parameters())
    trained = sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
    return 4.0 * every + 2.0 * trained


class Meter:
    """Counts as a run goes. `harmful` are the keys of the samples that do harm."""

    def __init__(self, flops_per_token: float, harmful: Collection[int] = ()):
        self._flops_per_token = flops_per_token
        self._harmful = frozenset(harmful)
        self._samples = 0
        self._seen: set[int] = set()
        self._tokens = 0

    def add(self, keys: Sequence[int], tokens: int) -> None:
        """Count one micro-batch: the key of each of its samples, and its tokens without padding."""
        self._samples += len(keys)
        self._seen |= self._harmful.intersection(keys)
        self._tokens += tokens

    def budget(self, steps: int) -> Budget:
        """What has been spent after `steps` optimiser steps."""
        return Budget(
            steps=steps,
            samples=self._samples,
            examples=len(self._seen),
            tokens=self._tokens,
            flops=self._flops_per_token * self._tokens,
        )
