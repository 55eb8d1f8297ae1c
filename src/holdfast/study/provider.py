"""Defences of one who fine-tunes for others: around a customer's training, and on what comes out of it.

An attacker who has the weights leaves them out; one who has only a provider's fine-tuning API cannot.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from holdfast.config import content_hash
from holdfast.errors import ConfigError
from holdfast.interfaces import Domain, Model
from holdfast.methods import Guard, Stage, stage_of
from holdfast.models.frozen import copied
from holdfast.study.categories import only
from holdfast.study.named import method, open_domain
from holdfast.study.origin import describe, made_by
from holdfast.study.view import defender


@dataclasses.dataclass(frozen=True, kw_only=True)
class Provided:
    """One defence at the fine-tuning stage, or at the post-fine-tuning stage."""

    defence: Any
    """Its name, or one built already."""
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict[str, Any])
    """Fields to set where a name is given."""
    domain: str | Domain = "arcana"
    """Whose `defence` view it is given."""
    categories: tuple[str, ...] = ()
    """The only harmful categories that it is shown; none means all."""
    seed: int = 0
    """Decides everything that it draws at random."""

    @cached_property
    def built(self) -> Any:
        """The defence with its settings.

        Raises:
            ConfigError: it acts before anybody fine-tunes.
        """
        chosen = method("defences", self.defence, self.settings)
        if stage_of(chosen) == "before":
            name = describe(chosen)["name"]
            raise ConfigError(f"{name} acts before anybody fine-tunes: harden a model with it, and attack that.")
        return chosen

    @property
    def stage(self) -> Stage:
        """When it acts."""
        return stage_of(self.built)

    @cached_property
    def data(self) -> Domain:
        """The domain, as far as the defence is shown it."""
        return only(open_domain(self.domain), self.categories)

    @property
    def made_by(self) -> dict[str, Any]:
        """What a record says of it."""
        return {**made_by("defence", self.built, self.data, self.seed), "stage": self.stage}

    @property
    def key(self) -> str:
        """The hash of all that decides what it does, but for its code."""
        return content_hash(self.made_by)

    def __getstate__(self) -> dict[str, Any]:
        # Not what was computed.
        return {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}


def provided(defences: Sequence[Any], domain: str | Domain, seed: int) -> list[Provided]:
    """Defences by name, built, or with all that belongs to them already, in that last form."""
    return [one if isinstance(one, Provided) else Provided(defence=one, domain=domain, seed=seed) for one in defences]


def by_stage(provider: Sequence[Provided]) -> tuple[list[Provided], list[Provided]]:
    """Those that act during a run of training, and those that act after it."""
    during, after = ([one for one in provider if one.stage == stage] for stage in ("during", "after"))
    return during, after


def guarded(one: Provided, model: Model) -> Guard:
    """The guard of a defence over one run of training that starts from a model; the global RNG is put back."""
    from holdfast.training.rng import seeded

    with seeded(one.seed):
        return one.built.guard(model, defender(one.data), one.seed)


def mended(model: Model, aligned: Model, menders: Sequence[Provided]) -> Model:
    """A copy of a fine-tuned model, mended by each in turn; the model itself where there are none.

    Args:
        model: adapters that are not merged yet are merged in the copy.
        aligned: what it was before somebody fine-tuned it.
        menders: defences that act after it.
    """
    from holdfast.training.lora import merge_lora
    from holdfast.training.rng import seeded

    if not menders:
        return model
    network: Any = copied(model.network)
    final = dataclasses.replace(model, network=merge_lora(network) if hasattr(network, "peft_config") else network)
    for one in menders:
        with seeded(one.seed):
            one.built.mend(final, aligned, defender(one.data))
    return final
