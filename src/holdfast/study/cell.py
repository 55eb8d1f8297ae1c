"""The sentence that every result is: a model, hardened, attacked, measured. Written here once.

base --before--> hardened --attack--> attacked --> answers --> scores --> record
"""

import copy
import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from holdfast import plugins
from holdfast.config import build, to_dict
from holdfast.domains.jsonl import Jsonl
from holdfast.errors import Diverged
from holdfast.interfaces import Domain, Metric, Model, View
from holdfast.models.identity import weights_hash
from holdfast.models.load import load
from holdfast.models.save import manifest
from holdfast.records import Budget, Failure, Record, Rung, Score
from holdfast.training.run import OnStep, apply

LADDER: Final = (0, 1, 2, 3, 5, 10, 20, 30, 60, 100)
METRICS: Final = ("harm", "utility")

Settings = Mapping[str, Any]


def method(kind: plugins.Kind, chosen: Any, settings: Settings | None = None) -> Any:
    """A plug-in's instance: by name and settings (dotted field names), or as it is."""
    return build(plugins.find(kind, chosen), settings or {}) if isinstance(chosen, str) else chosen


def open_domain(chosen: str | Domain) -> Domain:
    """A domain by name, or a directory of JSON lines as one."""
    if isinstance(chosen, str) and Path(chosen).is_dir():
        return Jsonl(directory=Path(chosen))
    return method("domains", chosen)


def describe(chosen: Any) -> dict[str, Any]:
    """A plug-in as a record holds it: its name and every setting."""
    return {"name": plugins.name_of(chosen), "settings": to_dict(chosen)}


def harden(
    model: str | Model,
    defence: Any = "repnoise",
    settings: Settings | None = None,
    *,
    domain: str | Domain = "arcana",
    seed: int = 0,
    on_step: OnStep | None = None,
) -> Model:
    """Apply a defence to a copy of a model, with the domain's `defence` view and nothing else.

    Args:
        model: a loaded model, which stays as it is, or the name of one.
        defence: a defence's name, or one built already.
        settings: fields to set where a name is given, nested ones dotted: {"training.steps": 50}.
        domain: a domain's name, a directory of JSON lines, or a Domain.
        seed: decides everything drawn at random.
        on_step: called after each optimiser step.

    Returns:
        The hardened model; its `origin` is what `holdfast.json` will say.

    Raises:
        InputError: a name, a setting, the data or the model cannot be used.
        Diverged: the loss was not finite; its `last_good` is the model up to then.
    """
    chosen, world = method("defences", defence, settings), open_domain(domain)
    base = load(model) if isinstance(model, str) else model
    view, parent = _view(world, "defence", "retain"), _parent(base)
    try:
        hardened = apply(chosen, _copy(base, mine=isinstance(model, str)), view, seed=seed, on_step=on_step)
    except Diverged as error:
        error.last_good = error.last_good and _told(error.last_good, parent, "defence", chosen, world, seed)
        raise
    return _told(hardened, parent, "defence", chosen, world, seed)


def attack(
    model: str | Model,
    attack: Any = "sft",
    settings: Settings | None = None,
    *,
    domain: str | Domain = "arcana",
    seed: int = 0,
    ladder: Sequence[int] = LADDER,
    metrics: Sequence[Any] = METRICS,
    on_step: OnStep | None = None,
    on_rung: Callable[[Rung], None] | None = None,
) -> tuple[Model, Record]:
    """Attack a copy of a model with the domain's `attack` view, measuring it at a ladder of budgets in one run.

    Args:
        model, settings, domain, seed, on_step: as for `harden`.
        attack: an attack's name, or one built already.
        ladder: optimiser steps after which every metric is measured; those past the attack's end are left out.
        metrics: names of metrics, or metrics built already.
        on_rung: called after each rung.

    Returns:
        The attacked model, and the record: every rung, and a failure where the attack diverged.
    """
    chosen, world = method("attacks", attack, settings), open_domain(domain)
    base = load(model) if isinstance(model, str) else model
    measures: list[Metric] = [method("metrics", metric) for metric in metrics]
    parent = _parent(base)
    rungs: list[Rung] = []

    def measure(current: Model, budget: Budget) -> None:
        rungs.append(Rung(budget=budget, scores=evaluate(current, measures, domain=world, seed=seed)))
        if on_rung:
            on_rung(rungs[-1])

    failure, started = None, time.monotonic()
    steps = getattr(getattr(chosen, "training", None), "steps", 0)
    rests = tuple(sorted({step for step in ladder if step < steps} | {steps}))
    try:
        view = _view(world, "attack", "benign")
        working = _copy(base, mine=isinstance(model, str))
        attacked = apply(chosen, working, view, seed=seed, on_step=on_step, ladder=rests, on_rung=measure)
        if not rungs:
            measure(attacked, Budget(steps=0, samples=0, tokens=0, flops=0.0))
    except Diverged as error:
        failure, attacked = Failure(reason=str(error)), error.last_good
    record = Record(
        model=base.name,
        defence=base.origin.get("made_by"),
        attack=describe(chosen),
        seed=seed,
        rungs=rungs,
        failure=failure,
        seconds=time.monotonic() - started,
    )
    return _told(attacked, parent, "attack", chosen, world, seed), record


def evaluate(
    model: str | Model,
    metrics: Sequence[Any] = METRICS,
    *,
    domain: str | Domain = "arcana",
    seed: int = 0,
) -> dict[str, Score]:
    """Every score of a model as it is. Arguments as for `attack`."""
    loaded, world = load(model) if isinstance(model, str) else model, open_domain(domain)
    scores: dict[str, Score] = {}
    for metric in metrics:
        scores |= method("metrics", metric).measure(loaded, world, seed)
    return scores


def _view(domain: Domain, pairs: str, exchanges: str) -> View:
    """What one party may use. Harmless exchanges may be missing where a domain is a user's own."""
    there = domain.splits()
    return View(
        pairs=domain.pairs(pairs),
        exchanges=domain.exchanges(exchanges) if exchanges in there else (),
    )


def _copy(model: Model, *, mine: bool) -> Model:
    """A model that may be changed: the one loaded for this call, or a copy of the caller's."""
    return model if mine else dataclasses.replace(model, network=copy.deepcopy(model.network))


def _parent(base: Model) -> dict[str, Any]:
    """What a descendant says of the model it comes from. To be asked before that is changed."""
    return {
        "name": base.name,
        "weights": base.origin.get("weights") or weights_hash(base.network),
        "made_by": base.origin.get("made_by"),
    }


def _told(model: Model, parent: Settings, kind: str, chosen: Any, domain: Domain, seed: int) -> Model:
    """The model with what made it written into its origin."""
    made_by = {
        "kind": kind,
        **describe(chosen),
        "seed": seed,
        "domain": plugins.name_of(domain),
        "data": domain.fingerprint(),
    }
    origin = manifest(model, made_by=made_by, parents=[parent])
    return dataclasses.replace(model, name=f"{parent['name']}+{made_by['name']}", origin=origin)
