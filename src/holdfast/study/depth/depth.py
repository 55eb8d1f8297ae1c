"""Everything that is looked at, layer by layer, in a model and in the one it was made from."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from holdfast.depths import Depth, Layer, Relearnt
from holdfast.errors import DataError, ModelError
from holdfast.interfaces import Domain, Exchange, Model, Pair
from holdfast.models.anatomy import anatomy
from holdfast.models.identity import weights_hash
from holdfast.models.load import load
from holdfast.statistics.removal import removal
from holdfast.study.depth.freezing import freezing
from holdfast.study.depth.geometry import moved, weights_moved
from holdfast.study.depth.information import held
from holdfast.study.depth.likelihoods import paths
from holdfast.study.depth.parts import Parts
from holdfast.study.depth.probes import probed
from holdfast.study.depth.read import Read, read
from holdfast.study.depth.relearnt import LADDER, groups, patched, relearnt
from holdfast.study.depth.verdict import verdict
from holdfast.study.named import open_domain
from holdfast.study.origin import world

Item = TypeVar("Item")
SEEDS: Final = 3
ROWS: Final = 144
"""Answers of either kind that are read at most, evenly through their split."""


def depth(
    model: str | Model,
    base: str | Model,
    *,
    domain: str | Domain = "arcana",
    seeds: int = SEEDS,
    rows: int = ROWS,
    ladder: Sequence[int] = LADDER,
    freeze: bool = False,
    keep: Path | None = None,
    told: Callable[[int, int], None] = lambda _done, _total: None,
) -> Depth:
    """Look at a model's depth.

    Args:
        model: the model, or its name.
        base: what it was made from, of the same shape.
        domain: where the answers come from: harmful ones of its `evaluation` split, harmless ones of `permitted`.
        seeds: of probes, maps and re-learning; three or more give intervals.
        rows: answers of either kind that are read at most.
        ladder: steps of re-learning after which harm is measured.
        freeze: whether the model's defence is applied anew with each group of blocks frozen, too.
        keep: a folder that parts are kept in as they are made, and read from when they are there already.
        told: is told how many parts of the work are done, and of how many.

    Raises:
        ModelError: the two are not of one shape.
        DataError: the domain has no harmful answers to read.
        ConfigError: it is to be made anew, and nothing says how.
        OutputError: a part cannot be kept.
    """
    now, before = (load(one) if isinstance(one, str) else one for one in (model, base))
    blocks = _check(now, before)
    data = open_domain(domain)
    about = world(data)
    pairs, harmless = _some(data.pairs("evaluation"), rows), _some(data.exchanges("permitted"), rows)
    if not any(pair.harmful for pair in pairs):
        raise DataError(f"{about.name} has no harmful answers in its evaluation split, so nothing can be looked for.")
    again = freezing(now, before, data) if freeze else None
    some = groups(blocks)
    total = blocks + 1 + 2 * seeds + len(some) * (2 if again else 1)
    whole = {"models": [weights_hash(one.network) for one in (now, before)], "data": about.data, "domain": about.name}
    told(0, total)
    here, there = (_Answers.read(one, pairs, harmless) for one in (now, before))
    parts = Parts(keep, {**whole, "rows": rows, "ladder": [*ladder]}, lambda done: told(done, total))

    def layer_of(layer: int) -> Layer:
        return Layer(
            layer=layer,
            information=held(now, here.own, here.swapped, layer, seeds),
            information_base=held(before, there.own, there.swapped, layer, seeds),
            probe=probed(here.own.pooled(layer), here.harmless.pooled(layer), seeds),
            probe_base=probed(there.own.pooled(layer), there.harmless.pooled(layer), seeds),
            moved=moved(here.own, there.own, layer),
        )

    def relearning(which: dict[str, Any], make: Callable[[], Relearnt]) -> Relearnt:
        return parts.once(Relearnt, which, make)

    layers = [
        parts.once(Layer, {"layer": layer, "seeds": seeds}, partial(layer_of, layer)) for layer in range(blocks + 1)
    ]
    learnt, learnt_base = (
        [
            relearning({"relearnt": side, "seed": seed}, partial(relearnt, one, data, seed=seed, ladder=ladder))
            for seed in range(seeds)
        ]
        for side, one in (("model", now), ("base", before))
    )
    restored = [relearning({"restored": group}, partial(_restored, now, before, group, data, ladder)) for group in some]
    frozen = [relearning({"frozen": group}, partial(again, group, ladder)) for group in some] if again else []
    return Depth(
        model=now.name,
        base=before.name,
        domain=about.name,
        harmful=len(pairs),
        harmless=len(harmless),
        layers=layers,
        weights=weights_moved(now, before),
        paths=paths(now, here.own, here.harmless),
        paths_base=paths(before, there.own, there.harmless),
        relearnt=learnt,
        relearnt_base=learnt_base,
        restored=restored,
        frozen=frozen,
        floor=about.floor,
        verdict=verdict(_readable(layers), _back(learnt, learnt_base, about.floor)),
    )


def _restored(now: Model, before: Model, group: Sequence[int], data: Domain, ladder: Sequence[int]) -> Relearnt:
    return relearnt(patched(now, before, group), data, restored=group, ladder=ladder)


@dataclass(frozen=True, kw_only=True)
class _Answers:
    own: Read
    swapped: Read
    harmless: Read

    @classmethod
    def read(cls, model: Model, pairs: Sequence[Pair], harmless: Sequence[Exchange]) -> "_Answers":
        """The same answers after their own question, and after that of the pair before."""
        own = [Exchange(key=pair.key, prompt=pair.prompt, answer=pair.harmful) for pair in pairs]
        swapped = [
            dataclasses.replace(one, prompt=other.prompt) for one, other in zip(own, [own[-1], *own[:-1]], strict=True)
        ]
        return cls(own=read(model, own), swapped=read(model, swapped), harmless=read(model, harmless))


def _readable(layers: Sequence[Layer]) -> float | None:
    """The most that any layer holds, of the most that any of the base's does."""
    ours, theirs = (
        max(one.centre for one in side if one.centre is not None)
        for side in (
            [layer.information.information for layer in layers],
            [layer.information_base.information for layer in layers],
        )
    )
    return max(0.0, ours / theirs) if theirs > 0 else None


def _back(now: Sequence[Relearnt], before: Sequence[Relearnt], floor: float | None) -> float | None:
    """The share of the base's harm that comes back, without guessing; means over seeds."""
    ours, theirs = (_mean(side) for side in (now, before))
    gone = None if ours is None or theirs is None else removal(ours, theirs, floor or 0.0)
    return None if gone is None else max(0.0, 1 - gone)


def _mean(side: Sequence[Relearnt]) -> float | None:
    found = [one.most for one in side if one.most is not None]
    return sum(found) / len(found) if len(found) == len(side) else None


def _some(given: Sequence[Item], most: int) -> list[Item]:
    """Evenly through them, so that every category is there."""
    return [given[at * len(given) // most] for at in range(most)] if len(given) > most else [*given]


def _check(now: Model, before: Model) -> int:
    blocks = [len(anatomy(one.network).blocks) for one in (now, before)]
    shapes = [{name: weight.shape for name, weight in one.network.named_parameters()} for one in (now, before)]
    if blocks[0] != blocks[1] or shapes[0] != shapes[1]:
        raise ModelError(f"{now.name} and {before.name} are not of one shape: name the model that it was made from.")
    return blocks[0]
