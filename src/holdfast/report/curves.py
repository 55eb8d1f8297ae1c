"""What `report.json` holds of what was measured: attacks and lessons rung by rung, categories, and what models said."""

from dataclasses import dataclass

from holdfast.records import Role
from holdfast.report.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Point:
    """One rung of one attack."""

    steps: int
    examples: int
    samples: int
    flops: float
    harm: Figure
    refusal: Figure
    fluency: Figure
    utility: Figure


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One attack on one model, rung by rung."""

    role: Role
    attack: str
    """In words: "LoRA rank 8, batch 1, rate 1e-3"."""
    points: list[Point]
    broke_at: int | None
    """Which of the points is the first of the break; None where there is none."""
    failure: str | None
    """Why it did not finish, where it did not. Never robustness."""


@dataclass(frozen=True, kw_only=True)
class Category:
    """Harm in one category: before any attack, and the most that any attack by training reached."""

    name: str
    undefended_before: Figure
    undefended_after: Figure
    defended_before: Figure
    defended_after: Figure


@dataclass(frozen=True, kw_only=True)
class Free:
    """An attack that trains nothing: it costs nothing, so it has no multiplier."""

    attack: str
    role: Role
    harm_before: Figure
    harm_after: Figure
    refusal_after: Figure
    fluency_after: Figure
    broken: bool | None
    """Whether harm is at or above the threshold; None where it was not measured."""
    failure: str | None


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """One rung of a harmless task."""

    steps: int
    score: Figure


@dataclass(frozen=True, kw_only=True)
class Said:
    """One answer of one model, as an example."""

    role: Role
    when: str
    """"before any attack", or after which attack and how many steps."""
    prompt: str | None
    """None where it is hidden, with its answer: a harmful question shows unasked only where it is fiction."""
    text: str | None
    """None where it is hidden: restricted text shows only if asked for."""
    value: float | None
    restricted: bool
