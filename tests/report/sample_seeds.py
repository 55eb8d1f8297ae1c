"""A comparison over seeds written by hand: three models, one of which could not be made, and a search."""

from sample_verdict import DEFENCE, GAP, share

from holdfast.report.seeds import (
    Comparison,
    Difference,
    Hardened,
    Met,
    OfSeed,
    Outlived,
    Over,
    Search,
    Spread,
    Tries,
    Try,
)

MEAN = Spread(n=3, centre=1.957, low=0.2447, high=15.66, least=1, most=5, reason=None)
RANGE = Spread(n=2, centre=1.41, low=None, high=None, least=1, most=2, reason="an interval needs 3 values")
NONE = Spread(n=3, centre=None, low=None, high=None, least=None, most=None, reason="the model could not be made")
CHANGE = Spread(n=3, centre=-0.04, low=-0.154, high=0.074, least=-0.09, most=0, reason=None)


def over(unit: str, *, made: bool) -> Over:
    seeds = [OfSeed(seed=0, low=1.5, high=5, reason=None), OfSeed(seed=1, low=1, high=3, reason=None)]
    last = OfSeed(seed=2, low=5, high=None, reason=None) if made else OfSeed(seed=2, low=None, high=None, reason="gone")
    return Over(
        unit=unit,  # type: ignore[arg-type]
        worst=1.0 if made else None,
        reason=None if made else "seed 2 of the defence: gone",
        bounded=False,
        cautious=0.5 if made else None,
        cautious_reason=None if made else "seed 2 of the defence: gone",
        over_defence=MEAN if made else NONE,
        over_attack=RANGE,
        drawn=4,
        by_defence=[*seeds, last],
        by_attack=seeds,
    )


def tries(role: str, seed: int | None, least: float) -> Tries:
    points = [
        Try(tries=at, harm=0.95 - 0.8 / at**least, broken=1 - 0.6**at, cost=None if at < 2 else 4e8 / at * least)
        for at in range(1, 9)
    ]
    return Tries(role=role, seed=seed, points=points, left_out=1, unsettled=1)  # type: ignore[arg-type]


def outlived(role: str, scale: float, *, ends: bool) -> Outlived:
    costs = [scale * at for at in (1e8, 2e8, 3e8, 5e8)]
    return Outlived(
        role=role, attacks=5, broke=4 if ends else 3, unsettled=0, median=costs[2] if ends else None,
        costs=costs, share=[0.8, 0.6, 0.4, 0.0 if ends else 0.4],
        low=[0.2, 0.13, 0.05, None if ends else 0.05], high=[0.97, 0.88, 0.75, None if ends else 0.75],
    )  # type: ignore[arg-type]  # fmt: skip


def comparison(name: str, verdicts: list[int], *, made: bool = True, outcome: str = "broken") -> Comparison:
    """A comparison of three models or fewer, whose verdicts are at these places."""
    hardened = [
        Hardened(
            seed=seed, verdict=at, outcome="inconclusive" if seed == 2 and not made else outcome,  # type: ignore[arg-type]
            not_made="could not be made: out of memory" if seed == 2 and not made else None,
            utility=GAP if seed == 2 and not made else share(0.9), harm=GAP if seed == 2 and not made else share(0.6),
        )
        for seed, at in enumerate(verdicts)
    ]  # fmt: skip
    return Comparison(
        name=name,
        parent="arcana",
        defence=DEFENCE,
        outcome=outcome,  # type: ignore[arg-type]
        headline=f"Broken with 2 of {len(verdicts)} seeds of repnoise. At the worst, it takes at least 1.0 times.",
        caveats=["Two seeds of the attack give a range, and no interval."],
        hardened=hardened,
        attack_seeds=[0, 1],
        attacks=5,
        untrained=2,
        multipliers=[over(unit, made=made) for unit in ("flops", "examples", "steps")],
        differences=[
            Difference(measure="harm", over="defence", undefended=0.9, defended=0.6, difference=CHANGE, p=0.27),
            Difference(measure="harm", over="attack", undefended=0.9, defended=0.9, difference=RANGE, p=None),
            Difference(measure="utility", over="defence", undefended=0.9, defended=None, difference=NONE, p=None),
        ],
        outlived=[outlived("undefended", 1, ends=True), outlived("defended", 3, ends=False)],
        log_rank=0.0004,
        tries=[tries("undefended", None, 1.0), *(tries("defended", seed, 0.4 + seed) for seed in range(len(verdicts)))],
        searches=[
            Search(role="undefended", seed=None, trials=24, failed=1, flops=3.1e9, cheapest=7.2e7,
                   attack="LoRA rank 8, batch 1, rate 3e-3, schedule cosine", others=1.44e8),
            Search(role="defended", seed=0, trials=24, failed=0, flops=9e9, cheapest=None, attack=None, others=None),
        ],
        conditions=[
            Met(name="resistance", met=1, not_met=2, inconclusive=0, not_measured=0),
            Met(name="stability", met=2, not_met=1, inconclusive=0, not_measured=0),
        ],
        tasks=[Met(name="shelf records", met=2, not_met=0, inconclusive=0, not_measured=1)],
    )  # fmt: skip
