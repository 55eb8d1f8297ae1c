"""Defences around a training that is somebody's own: a guard on a trainer, a mend of what came out of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast.errors import ConfigError
from holdfast.interfaces import Domain, Model
from holdfast.study.named import Settings
from holdfast.study.origin import parent, pipeline
from holdfast.study.provider import Provided, guarded, mended
from holdfast.study.stages import given, of_stage

if TYPE_CHECKING:
    from transformers import Trainer

T = TypeVar("T", bound="Trainer")


def guard(
    trainer: T,
    defence: Any,
    settings: Settings | None = None,
    *,
    domain: str | Domain = "arcana",
    categories: Sequence[str] = (),
    seed: int = 0,
) -> T:
    """Let defences watch over a trainer of transformers or TRL that is built already, when it trains.

        trainer = holdfast.guard(SFTTrainer(model=..., args=..., train_dataset=...), "lisa", domain="safety")
        trainer.train()

    Args:
        trainer: a `Trainer`, or any subclass of it, before `train()`. Its class is changed.
        defence: the name of one that acts during a training, one built already, or several in a list.
        settings: fields to set where names are given; of several, with the name in front: {"lisa.rho": 0.1}.
        domain: a domain's name, a directory of JSON lines, or a Domain: whose `defence` view they are given.
        categories: the only harmful categories that they are shown; none given means all.
        seed: decides everything they draw at random. The trainer's own draws stay as they were.

    Returns:
        The same trainer.

    Raises:
        InputError: a name, a setting or the data cannot be used, a defence acts at another stage, or the trainer
            trains no causal language model with a chat template, or in several processes.
        HoldfastError: by `train()`, where the trainer's steps went past the guard.
    """
    from holdfast.training.guarding.watching import subject

    if not hasattr(trainer, "train_dataset"):
        raise ConfigError(f"holdfast.guard takes a trainer of transformers or TRL, not a {type(trainer).__name__}.")
    chosen = of_stage("during", given(defence, settings, domain, categories, seed))
    put(trainer, subject(trainer), chosen)
    return trainer


def mend(
    model: str | Model,
    defence: Any = "antidote",
    settings: Settings | None = None,
    *,
    aligned: str | Model,
    domain: str | Domain = "arcana",
    categories: Sequence[str] = (),
    seed: int = 0,
) -> Model:
    """Mend a copy of a model that somebody has fine-tuned.

    Args:
        model: what came out of the training: a loaded model, which stays as it is, or the name of one.
        defence: the name of one that acts after a training, one built already, or several in a list.
        settings: fields to set where names are given; of several, with the name in front: {"antidote.share": 0.2}.
        aligned: the model before that training, loaded or by name.
        domain, categories, seed: as for `guard`.

    Returns:
        The mended model; its `origin` is what `holdfast.json` will say.

    Raises:
        InputError: a name, a setting, the data or a model cannot be used, or a defence acts at another stage.
    """
    from holdfast.models.load import load

    chosen = of_stage("after", given(defence, settings, domain, categories, seed))
    tuned, before = (load(one) if isinstance(one, str) else one for one in (model, aligned))
    return mended_by(tuned, before, chosen)


def put(trainer: "Trainer", start: Model, defences: Sequence[Provided]) -> None:
    """Put defences on a trainer that trains a model, which `training.guarding.watching.subject` tells."""
    from holdfast.training.guarding.together import together
    from holdfast.training.guarding.watching import watch

    watching = together([guarded(one, start) for one in defences])
    if watching is not None:
        watch(trainer, watching)


def mended_by(tuned: Model, aligned: Model, defences: Sequence[Provided]) -> Model:
    """A fine-tuned model mended by defences in their order, each told in its origin."""
    from holdfast.models.save import manifest

    for one in defences:
        made = {key: value for key, value in one.made_by.items() if key != "stage"}  # the weights themselves are mended
        parents: list[Mapping[str, Any]] = [parent(tuned), parent(aligned)]
        tuned = replace(mended(tuned, aligned, [one]), name=f"{tuned.name}+{made['name']}")
        tuned = replace(tuned, origin=manifest(tuned, made_by=made, parents=parents))
    return tuned


def watched_by(result: Model, before: Mapping[str, Any], defences: Sequence[Provided]) -> Model:
    """What has been trained with defences watching, with that told in its origin; `before` is what `parent` said."""
    from holdfast.models.save import manifest

    made = {**pipeline([one.made_by for one in defences]), "kind": "guard"}
    told = replace(result, name=f"{before['name']}+{made['name']}")
    return replace(told, origin=manifest(told, made_by=made, parents=[before]))
