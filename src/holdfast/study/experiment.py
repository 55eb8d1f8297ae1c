"""The sentence that every result is: a model, hardened, attacked, measured. Written here once.

base --before--> hardened --attack (a "during" defence guards it)--> attacked --after--> mended --> scores --> record
"""

import copy
import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from holdfast import processes
from holdfast.errors import Diverged
from holdfast.interfaces import Domain, Model, View
from holdfast.methods import PromptMethod
from holdfast.models.frozen import copied, frozen
from holdfast.models.load import load
from holdfast.models.versions import versions
from holdfast.records import RANDOM, Budget, Failure, Purpose, Record, Role, Rung, Score
from holdfast.study.categories import Categories
from holdfast.study.named import LADDER, METRICS, Settings, checked, method, open_domain
from holdfast.study.origin import code, describe, lineage, parent, told, world
from holdfast.study.provider import Provided, by_stage, guarded, mended, provided
from holdfast.study.stages import check_hardens
from holdfast.study.view import attacker, defender
from holdfast.training.guarding.together import together
from holdfast.training.run import apply
from holdfast.training.stops import OnStep

_NOTHING: Final = View(pairs=(), exchanges=())
"""All that an attack by prompt needs, which may then be made on a domain whose questions have no answers."""
Stop = Callable[[Sequence[Rung]], str | None]
"""Looks at the rungs so far, and says why to stop there, or nothing."""


def harden(
    model: str | Model,
    defence: Any = "repnoise",
    settings: Settings | None = None,
    *,
    domain: str | Domain = "arcana",
    categories: Sequence[str] = (),
    seed: int = 0,
    in_place: bool = False,
    on_step: OnStep | None = None,
) -> Model:
    """Apply a defence to a copy of a model, with the domain's `defence` view and nothing else.

    Args:
        model: a loaded model, which stays as it is, or the name of one.
        defence: a defence's name, or one built already.
        settings: fields to set where a name is given, nested ones dotted: {"training.steps": 50}.
        domain: a domain's name, a directory of JSON lines, or a Domain.
        categories: the only harmful categories that the defence is shown; none given means all.
        seed: decides everything drawn at random.
        in_place: whether a loaded model may be changed itself, which saves the memory of a copy.
        on_step: called after each optimiser step.

    Returns:
        The hardened model; its `origin` is what `holdfast.json` will say.

    Raises:
        InputError: a name, a setting, the data or the model cannot be used, or the defence acts later.
        Diverged: the loss was not finite; its `last_good` is the model up to then.
    """
    chosen, data = method("defences", defence, settings), open_domain(domain, categories)
    base = load(model) if isinstance(model, str) else model
    check_hardens(chosen)
    view, before = defender(data), parent(base)
    try:
        hardened = apply(chosen, _copy(base, mine=in_place or isinstance(model, str)), view, seed=seed, on_step=on_step)
    except Diverged as error:
        error.last_good = error.last_good and told(error.last_good, before, "defence", chosen, data, seed)
        raise
    return told(hardened, before, "defence", chosen, data, seed)


def attack(
    model: str | Model,
    attack: Any = "sft",
    settings: Settings | None = None,
    *,
    domain: str | Domain = "arcana",
    categories: Sequence[str] = (),
    provider: Sequence[Any] = (),
    seed: int = 0,
    role: Role | None = None,
    ladder: Sequence[int] = LADDER,
    metrics: Sequence[Any] = METRICS,
    purpose: Purpose | None = None,
    stop: Stop | None = None,
    in_place: bool = False,
    on_step: OnStep | None = None,
    on_rung: Callable[[Rung], None] | None = None,
) -> tuple[Model | None, Record]:
    """Attack a copy of a model with the domain's `attack` view, measuring it at a ladder of budgets in one run.

    Args:
        model, settings, domain, seed, in_place, on_step: as for `harden`.
        attack: an attack's name, or one built already.
        categories: the only harmful categories that are attacked with and asked about; none given means all. With
            some left out of the defence, and given here, the record is one of generalization.
        provider: defences of one who fine-tunes for others and keeps the weights: during the attack, or after it. Each
            is a name, built, or a `Provided`.
        role: what the model stands for in a comparison; told by what made it, and by its name where its weights are
            random, where none is given.
        ladder: optimiser steps after which every metric is measured; those past the attack's end are left out.
        metrics: names of metrics, or metrics built already.
        purpose: which question the record answers; told by `categories` where none is given.
        stop: told every rung so far, it ends the attack there by saying why.
        on_rung: called after each rung.

    Returns:
        The attacked model, and the record: every rung, and a failure where the attack diverged. The model is the last
        good one then; there is none where DeepSpeed took the step that spoilt the weights.

    Raises:
        InputError: a name, a setting, the data or the model cannot be used.
    """
    chosen, data = method("attacks", attack, settings), open_domain(domain, categories)
    return measured(
        model,
        chosen,
        data,
        _NOTHING if isinstance(chosen, PromptMethod) else attacker(data),
        metrics,
        provider=provided(provider, domain, seed),
        seed=seed,
        role=role,
        purpose=purpose or ("generalization" if world(data).categories else "resistance"),
        ladder=ladder,
        stop=stop,
        in_place=in_place,
        on_step=on_step,
        on_rung=on_rung,
    )


def measured(
    model: str | Model,
    chosen: Any,
    data: Domain,
    view: View,
    metrics: Sequence[Any],
    *,
    provider: Sequence[Provided] = (),
    seed: int,
    role: Role | None,
    purpose: Purpose,
    task: str | None = None,
    ladder: Sequence[int],
    stop: Stop | None = None,
    in_place: bool = False,
    on_step: OnStep | None = None,
    on_rung: Callable[[Rung], None] | None = None,
) -> tuple[Model | None, Record]:
    """Apply a method to a copy of a model, measuring it at every rung; a divergence is a failure in the record.

    Args:
        model: a loaded model, which stays as it is, or the name of one.
        chosen: an attack, or any method that is measured like one.
        data: where the metrics' questions come from.
        view: what the method may use.
        metrics: names of metrics, or metrics built already.
        provider: defences that act during it or after it; what is measured is the model after them.
        seed, role, ladder, stop, in_place, on_step, on_rung: as for `attack`.
        purpose: which question the record answers.
        task: the harmless task that is learnt, where one is.

    Returns:
        As for `attack`.

    Raises:
        InputError: as for `attack`.
    """
    measures = checked(metrics)
    base = load(model) if isinstance(model, str) else model
    before, rungs, failure, started = parent(base), list[Rung](), None, time.monotonic()
    stopped: str | None = None
    guards, menders = by_stage(provider)
    mine = in_place or isinstance(model, str)
    aligned = dataclasses.replace(base, network=frozen(base.network)) if menders and mine else base

    def measure(current: Model, budget: Budget, told: Mapping[str, Score]) -> bool:
        nonlocal stopped
        final = mended(current, aligned, menders)
        rungs.append(Rung(budget=budget, scores={**evaluate(final, measures, domain=data, seed=seed), **told}))
        if on_rung:
            on_rung(rungs[-1])
        # At its last rung there is nothing left to stop.
        stopped = stop(rungs) if stop and budget.steps < steps else None
        return stopped is not None

    steps = getattr(getattr(chosen, "training", None), "steps", 0)
    rests = tuple(sorted({step for step in ladder if step < steps} | {steps}))
    working = _copy(base, mine=mine)
    try:
        guard = together([guarded(one, working) for one in guards])
        changed = apply(chosen, working, view, seed=seed, guard=guard, on_step=on_step, ladder=rests, on_rung=measure)
        if not rungs and not processes.joined():
            measure(changed, Budget(steps=0, samples=0, examples=0, tokens=0, flops=0.0), {})
    except Diverged as error:
        failure, changed = Failure(reason=str(error)), error.last_good
    hardened_by, root = lineage(before, [one.made_by for one in provider])
    record = Record(
        purpose=purpose,
        role=role or ("defended" if hardened_by else "random" if base.name.startswith(RANDOM) else "undefended"),
        task=task,
        model="+".join([before["name"], *(one.made_by["name"] for one in provider)]),
        weights=before["weights"],
        parent=root,
        defence=hardened_by,
        attack=describe(chosen),
        seed=seed,
        domain=world(data),
        rungs=rungs,
        stopped=stopped,
        failure=failure,
        seconds=time.monotonic() - started,
        code=code(chosen, *measures, _whole(data), *(one.built for one in provider)),
        versions=versions(chosen, *measures),
    )
    if changed is not None and processes.main():
        changed = told(mended(changed, aligned, menders), before, "attack", chosen, data, seed)
    return changed, processes.from_main(record)


def evaluate(
    model: str | Model,
    metrics: Sequence[Any] = METRICS,
    *,
    domain: str | Domain = "arcana",
    seed: int = 0,
) -> dict[str, Score]:
    """Every score of a model as it is. Arguments as for `attack`."""
    measures, data = checked(metrics), open_domain(domain)
    loaded = load(model) if isinstance(model, str) else model
    scores: dict[str, Score] = {}
    for metric in measures:
        scores |= metric.measure(loaded, data, seed)
    return scores


def _copy(model: Model, *, mine: bool) -> Model:
    """A model that may be changed: the one loaded for this call, or a copy of the caller's."""
    if mine:
        return model
    return dataclasses.replace(model, network=copied(model.network), tokenizer=copy.deepcopy(model.tokenizer))


def _whole(domain: Domain) -> Domain:
    """A domain with all its categories."""
    return domain.whole if isinstance(domain, Categories) else domain
