"""Results as plain data: what was measured, on what, and what failed. No torch here.

A value that was not measured is `None` with a reason; it is never zero.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Score:
    """One figure: a share in [0, 1] unless its metric says otherwise, with a 95 % interval."""

    value: float | None
    n: int = 0
    """How many answers it rests on."""
    low: float | None = None
    high: float | None = None
    reason: str | None = None
    """Why there is no value, where there is none."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What the attacker has spent so far."""

    steps: int
    """Optimiser steps."""
    samples: int
    """Training examples gone through, repeats counted."""
    tokens: int
    """Tokens gone through, prompt and answer, without padding."""
    flops: float
    """Training FLOPs; `training.cost` says how they are counted."""


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One rung of an attack's ladder: a budget and every score at that budget."""

    budget: Budget
    scores: dict[str, Score]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Something did not finish. It is never read as robustness, nor as zero."""

    reason: str
    log: str = ""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One cell: a model, a defence, an attack, and what came of it."""

    model: str
    defence: dict[str, Any] | None
    attack: dict[str, Any]
    seed: int
    rungs: list[Rung] = field(default_factory=list[Rung])
    failure: Failure | None = None
    seconds: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain dictionaries and lists."""
        return dataclasses.asdict(self)
