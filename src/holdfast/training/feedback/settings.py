"""A recipe as TRL's trainers take it: nothing is left to a default of theirs."""

import dataclasses
import tempfile
import warnings
from typing import Any

from transformers import TrainingArguments

from holdfast.errors import ConfigError
from holdfast.training.arguments import arguments, on_one_gpu
from holdfast.training.recipe import Recipe


def trl() -> Any:
    """TRL.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import trl
    except ImportError as error:
        raise ConfigError(f"TRL is not installed ({error}): pip install 'holdfast[rl]'.") from error
    return trl


def settings(kind: str, recipe: Recipe, seed: int, **own: Any) -> Any:
    """A recipe as one of TRL's configurations.

    Theirs differ from transformers' in what goes without saying: bfloat16 and gradient checkpointing are on there.
    Every field that transformers knows is therefore given, as for any other method.

    Args:
        kind: the name of its class, "GRPOConfig".
        recipe: how long and how it trains.
        seed: decides everything that it draws.
        **own: fields that transformers does not know.
    """
    # Checkpoints and logs are off, so that nothing is ever written there.
    common = arguments(recipe, seed, tempfile.gettempdir())
    known = {field.name: getattr(common, field.name) for field in dataclasses.fields(TrainingArguments) if field.init}
    return on_one_gpu(getattr(trl(), kind)(**known, **own))


def silent(base: Any) -> Any:
    """A trainer of TRL's that tells its makers nothing of a run, and a user nothing of TRL's own affairs."""

    class Silent(base):
        def _send_telemetry(self) -> None:
            """TRL's own is not asked."""

        def train(self, *args: Any, **kwargs: Any) -> Any:
            with warnings.catch_warnings():
                # TRL 1.16 still asks for a property that transformers has renamed.
                warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
                return super().train(*args, **kwargs)

    return Silent
