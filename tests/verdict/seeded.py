"""A study made by hand: defences by seeds by attacks by seeds, with siblings, lessons and searches."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from holdfast.records import Record, Role
from verdict.made import BASE, DEFENCE, STEPS, prompted, record, taught

WHOLE = (0, 1, 2, 3, 5, 10, 20, 30)
"""A ladder with more to see."""


def hardened(seed: int, name: str = "shield", **settings: Any) -> dict[str, Any]:
    """What a record says of the model that a defence hardened with a seed."""
    made = {**DEFENCE, "name": name, "settings": {**DEFENCE["settings"], **settings}, "seed": seed}
    return {"model": f"base+{name}", "weights": f"{name}{seed}{sorted(settings.items())}", "defence": made}


def runs(role: Role, *curves: Sequence[float | None], **more: Any) -> list[Record]:
    """The same attack with seeds 0, 1, ... of the attack."""
    return [record(role, curve, seed=seed, **more) for seed, curve in enumerate(curves)]


def paper() -> list[Record]:
    """Three seeds of the defence by two of the attack, one attack of batch 1: one step costs 1 FLOP.

    Undefended, broken at: 2 with seed 0 of the attack, 3 with seed 1. Hardened, held up to: seed 0 of the defence
    10 and 3, seed 1 of it 2 and 10, seed 2 of it 10 and 10.
    """
    breaks, soon, late, holds = (curve(at) for at in (2, 3, 5, None))
    return [
        *runs("undefended", breaks, soon, utility=0.9),
        *runs("defended", holds, late, **hardened(0), utility=0.9),
        *runs("defended", soon, holds, **hardened(1), utility=0.81),
        *runs("defended", holds, holds, **hardened(2), utility=0.87),
    ]


def curve(breaks: int | None, most: float = 0.9, steps: Sequence[int] = STEPS) -> list[float]:
    """Harm that is .1 below a number of steps and at its most from there on; None: it never breaks."""
    return [0.0 if step == 0 else most if breaks is not None and step >= breaks else 0.1 for step in steps]


def unmade(seed: int, reason: str = "its model could not be made: out of memory", **more: Any) -> list[Record]:
    """What a study leaves of attacks on a model whose hardening failed: no weights and no rung, seeds 0 and 1."""
    told: dict[str, Any] = {**hardened(seed), "weights": "", "parent": None, "failed": reason, **more}
    return runs("defended", (), (), **told)


def searched(role: Role, costs: Sequence[int | None], **more: Any) -> list[Record]:
    """A search: a trial each, of rates of its own, stopped once it broke the model, or at 10 steps where it did not."""
    found: list[Record] = []
    for at, cost in enumerate(costs):
        # A break is one on two rungs in a row.
        steps = STEPS[1:] if cost is None else STEPS[1 : STEPS.index(cost) + 2]
        found.append(
            record(
                role, curve(cost, steps=steps), steps=STEPS[1:], rate=1e-2 + at / 1000, purpose="search",
                stopped="the model was broken" if cost is not None else "it had spent as much", **more,
            )
        )  # fmt: skip
    return found


def whole(defences: Mapping[str, Mapping[str, Any]], seeds: int = 3, draws: int = 2) -> Iterator[Record]:
    """A study with a bit of everything, for a page to be looked at.

    Args:
        defences: by name; "effect" multiplies what attacks cost, "fails" is a seed whose hardening failed.
        seeds, draws: of the defence and of the attack.
    """
    battery = [(batch, lora, rate) for batch, lora in ((1, 0), (4, 0), (1, 8)) for rate in (3e-4, 1e-3, 3e-3)]
    everyone: list[tuple[Role, dict[str, Any], float]] = [("undefended", {"weights": BASE}, 1.0), ("oracle", {}, 1e9)]
    for name, told in defences.items():
        for seed in range(seeds):
            about = hardened(seed, name.partition(" ")[0], **told.get("settings", {}))
            if told.get("fails") == seed:
                about |= {"weights": "", "parent": None, "failed": "its model could not be made: out of memory"}
            everyone.append(("defended", about, told["effect"] * (1, 3, 0.7, 2, 5)[seed]))
    for role, about, effect in everyone:
        failed = "failed" in about
        for number, (batch, lora, rate) in enumerate(battery):
            for draw in range(draws):
                ends = (1.5 + number % 5 + draw) * effect * (2 if lora else 1)
                harm: Any = () if failed else [score(0.0 if s == 0 else 0.95 / (1 + (ends / s) ** 3)) for s in WHOLE]
                yield record(role, harm, steps=WHOLE, batch=batch, lora=lora, rate=rate, seed=draw, floor=0.02,
                             price=1e7, utility=score(0.9 - 0.02 * (role == "defended")), **about)  # fmt: skip
        if role == "oracle":
            continue
        if not failed:
            yield prompted(role, 0.1, floor=0.02, **about)
        for task, late in (("inns", 0), ("weather", 10), ("a task with a rather long name", 5)):
            late = late if role == "defended" else 0
            scores = () if failed else [score(0.95 / (1 + ((18 + late) / (s or 1)) ** 4)) for s in range(0, 61, 5)]
            yield taught(role, scores, steps=range(0, 61, 5), task=task, floor=0.02, **about)
        for at, left_out in enumerate(("hex", "petard", "snare")):
            made = {**about, "weights": f"{about['weights']}-{left_out}"} if role == "defended" else about
            if role == "defended":
                shown = [one for one in ("hex", "petard", "snare") if one != left_out]
                made["defence"] = {**about["defence"], "categories": shown}
                made |= {"weights": ""} if failed else {}
            ends = 2 * effect ** (0.2 * at)
            harm = () if failed else [score(0.0 if s == 0 else 0.95 / (1 + (ends / s) ** 3)) for s in WHOLE]
            yield record(role, harm, steps=WHOLE, categories=[left_out], price=1e7, floor=0.02, **made)
        if not failed:
            yield from searched(role, (None, 5, 2, 3, 2), price=1e7, floor=0.02, **about)


def score(value: float) -> Any:
    """A figure over 144 answers."""
    from holdfast.records import Score

    half = 1.96 * (max(value * (1 - value), 0.002) / 144) ** 0.5
    return Score(value=value, n=144, low=max(0.0, value - half), high=min(1.0, value + half))
