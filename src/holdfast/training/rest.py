"""A network at rest: what training changes of it beside its weights, kept, and put back for a stop and at the end."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NamedTuple

from holdfast.training.rng import preserved_rng


class State(NamedTuple):
    """What training changes of a network beside its weights."""

    training: bool
    trainable: dict[str, bool]
    own: dict[str, Any]
    """Its `forward`, where one was set on the network itself."""
    use_cache: bool | None
    """Of its config, which is saved with it; a Trainer switches it off. None where it is the text's alone."""
    checkpointing: bool


def state_of(network: Any) -> State:
    """What it is now."""
    trainable = {name: weight.requires_grad for name, weight in network.named_parameters()}
    own = {name: value for name, value in vars(network).items() if name == "forward"}
    checkpointing = network.is_activation_checkpointing
    return State(network.training, trainable, own, getattr(network.config, "use_cache", None), checkpointing)


def put_back(network: Any, before: State) -> None:
    """Leave a network as it came in but for its weights."""
    network.zero_grad(set_to_none=True)
    network.train(before.training)
    for name, weight in network.named_parameters():
        weight.requires_grad_(before.trainable.get(name, True))  # what was put in is as any other weight
    # TRL leaves a `forward` bound to this network; a deep copy of it would compute with these weights, not its own.
    vars(network).pop("forward", None)
    vars(network).update(before.own)
    if before.use_cache is None:
        vars(network.config).pop("use_cache", None)
    else:
        network.config.use_cache = before.use_cache
    if network.is_activation_checkpointing and not before.checkpointing:
        network.activation_checkpointing_disable()


@contextmanager
def resting(network: Any) -> Generator[None, None, None]:
    """A stop on the way to be measured: evaluation mode, and neither mode nor RNG differ afterwards."""
    was_training = network.training
    with preserved_rng():
        try:
            network.eval()
            yield
        finally:
            network.train(was_training)
