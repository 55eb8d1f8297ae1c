"""The same defence with some blocks frozen while it is applied, and what comes back then.

The RepNoise paper's own experiment on depth (arXiv 2405.14577, Table 6): where the defence holds as well without some
layers as with them, it did not need those; where it fails, they are where it lies.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from holdfast import plugins
from holdfast.config import from_dict
from holdfast.depths import Relearnt
from holdfast.errors import ConfigError
from holdfast.interfaces import Domain, Model
from holdfast.models.identity import weights_hash
from holdfast.study.depth.relearnt import relearnt
from holdfast.study.experiment import harden
from holdfast.study.origin import world


def freezing(now: Model, before: Model, domain: Domain) -> Callable[[Sequence[int], Sequence[int]], Relearnt]:
    """Find out what made a model, and how to make it again with blocks frozen.

    Args:
        now: a hardened model.
        before: what it was made from.
        domain: its data.

    Returns:
        Takes blocks, counted from 0, and a ladder of steps; hardens `before` anew, as `now` was but for these blocks,
        and trains the result on harmful answers.

    Raises:
        ConfigError: nothing tells how the model was made, it was not made from `before`, or not by training.
    """
    made: Mapping[str, Any] = now.origin.get("made_by") or {}
    if made.get("kind") != "defence":
        raise ConfigError(
            f"nothing says by which defence {now.name} was made, so it cannot be made again: give one that "
            "`holdfast harden -o` wrote."
        )
    if now.origin["parents"][0]["weights"] != weights_hash(before.network):
        raise ConfigError(
            f"{now.name} was not hardened from {before.name} in one step: give its holdfast.json's parent as --base."
        )
    if made["domain"] != world(domain).name:
        raise ConfigError(f"{now.name} was hardened on {made['domain']}: make it again with --domain {made['domain']}.")
    plugin, settings = plugins.find("defences", made["name"]), made["settings"]
    if "training" not in settings:
        raise ConfigError(f"{made['name']} does not train, so that nothing can be frozen meanwhile.")

    def one(blocks: Sequence[int], ladder: Sequence[int]) -> Relearnt:
        chosen = from_dict(plugin, {**settings, "training": {**settings["training"], "freeze_blocks": [*blocks]}})
        made_again = harden(before, chosen, domain=domain, categories=made["categories"], seed=made["seed"])
        return relearnt(made_again, domain, frozen=blocks, ladder=ladder)

    return one
