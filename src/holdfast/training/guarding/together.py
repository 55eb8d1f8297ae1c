"""Several guards on one trainer, as one."""

import functools
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final

from holdfast.methods import Guard

Hook = Callable[..., Any]


def together(guards: Sequence[Guard]) -> Guard | None:
    """One guard that acts as all of them, in their order; None where there are none.

    Penalties add up. A step that several would replace is the first one's. Rewards go through each in turn.
    """
    if len(guards) < 2:
        return next(iter(guards), None)
    found = {name: [getattr(guard, name) for guard in guards if hasattr(guard, name)] for name in _MERGED}
    return SimpleNamespace(**{name: functools.partial(_MERGED[name], hooks) for name, hooks in found.items() if hooks})


def _each(hooks: Sequence[Hook], *told: Any) -> None:
    for hook in hooks:
        hook(*told)


def _all(hooks: Sequence[Hook], *told: Any) -> Mapping[str, Any]:
    terms: dict[str, Any] = {}
    for hook in hooks:
        for name, term in hook(*told).items():
            terms[name] = terms[name] + term if name in terms else term
    return terms


def _first(hooks: Sequence[Hook], *told: Any) -> Mapping[str, Any] | None:
    return next((terms for hook in hooks if (terms := hook(*told)) is not None), None)


def _in_turn(hooks: Sequence[Hook], rollouts: Any, rewards: Sequence[float], progress: Any) -> Sequence[float]:
    for hook in hooks:
        rewards = hook(rollouts, rewards, progress)
    return rewards


_MERGED: Final[dict[str, Callable[..., Any]]] = {
    "before_step": _each,
    "after_step": _each,
    "finish": _each,
    "penalty": _all,
    "replace_step": _first,
    "reward": _in_turn,
}
