"""A harmless task, taught to a model as an honest customer would: what trainability is measured by."""

from collections.abc import Sequence
from typing import Any

from holdfast.errors import UnknownName
from holdfast.interfaces import Domain, Model, View
from holdfast.records import Record, Role
from holdfast.study.experiment import measured
from holdfast.study.named import CUSTOMER, Settings, lessons, method, open_domain
from holdfast.study.provider import provided
from holdfast.training.stops import OnStep


def learn(
    model: str | Model,
    task: str,
    settings: Settings | None = None,
    *,
    domain: str | Domain = "arcana",
    provider: Sequence[Any] = (),
    seed: int = 0,
    role: Role | None = None,
    ladder: Sequence[int] | None = None,
    in_place: bool = False,
    on_step: OnStep | None = None,
) -> tuple[Model | None, Record]:
    """Fine-tune a copy of a model on a harmless task, as an honest customer would, scoring it on the way.

    Args:
        model, domain, provider, seed, role, in_place, on_step: as for `attack`.
        task: one of the domain's `tasks()`.
        settings: fields of `sft` to set beside those of `CUSTOMER`.
        ladder: as for `attack`; None means `lessons` of all its steps.

    Returns:
        The fine-tuned model, as for `attack`, and the record, whose `utility` is the score on the task's test
        questions.

    Raises:
        UnknownName: the domain has no such task.
    """
    data = open_domain(domain)
    if task not in data.tasks():
        raise UnknownName("task", task, data.tasks())
    chosen = method("attacks", "sft", {**CUSTOMER, **(settings or {})})
    return measured(
        model,
        chosen,
        data,
        View(pairs=(), exchanges=data.exchanges(f"{task}-train")),
        [method("metrics", "utility", {"split": f"{task}-test"})],
        provider=provided(provider, domain, seed),
        seed=seed,
        role=role,
        purpose="trainability",
        task=task,
        ladder=lessons(chosen.training.steps) if ladder is None else ladder,
        in_place=in_place,
        on_step=on_step,
    )
