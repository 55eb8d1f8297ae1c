"""A change of weights that is found before training and made at its first step.

What is measured before that step is then the model before the attack, whatever the attack does first. The change is
made by adding what it came to, so that whatever has been learnt until then, as under a guard that trains first, stays.
"""

from collections.abc import Callable
from typing import Any

import torch


@torch.no_grad()
def postponed(network: Any, change: Callable[[], object]) -> Callable[[], None]:
    """Make a change to a network's weights, take it back to the bit, and give what makes it again.

    Args:
        network: as it is now; it may have an adapter around its weights by the time that the change is made again.
        change: changes values of parameters in place, and nothing else.

    Returns:
        What makes the change, once; called again it does nothing.
    """
    before = [(weight, weight.detach().clone()) for weight in network.parameters()]
    try:
        change()
        pending = [(weight, weight.detach() - was) for weight, was in before if not torch.equal(weight, was)]
    finally:
        for weight, was in before:
            weight.copy_(was)

    @torch.no_grad()
    def make() -> None:
        for weight, moved in pending:
            weight.add_(moved)
        pending.clear()

    return make
