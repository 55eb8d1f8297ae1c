"""An audit: one suite of attacks on a model, on the one that it is a defended version of, and on a control."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from holdfast.errors import ConfigError, DataError, InputError, ModelError
from holdfast.interfaces import Domain
from holdfast.records import RANDOM, Record, Role
from holdfast.statistics.crossing import THRESHOLD
from holdfast.study.cells import Cell
from holdfast.study.check import check
from holdfast.study.descent import eldest, hardened_from, is_there, origin
from holdfast.study.design import Study
from holdfast.study.methods import Method, label, spread
from holdfast.study.mistakes import StudyError
from holdfast.study.named import open_domain
from holdfast.study.plan import trains, widened
from holdfast.study.run import Rounds
from holdfast.study.suites.needs import lacking
from holdfast.study.suites.standard import STANDARD
from holdfast.study.suites.suite import Attempt, Suite, Tier

_ORACLES: Final = {"arcana": "arcana-filtered", "arcana-moe": "arcana-filtered", "arcana-raw": "arcana-filtered"}
"""By the organism that a model descends from: which model never had the knowledge."""
_TRIES: Final = 3
"""So many different attacks must fail before their first figure until a model counts as one that cannot be loaded."""


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What is attacked with what."""

    model: str
    base: str | None
    """Of which the model is a defended version; None judges it alone."""
    control: str
    """The oracle, or a random initialisation in its place."""
    tier: Tier
    domain: str
    seed: int
    suite: Suite
    attempts: tuple[Attempt, ...]
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])
    """Attacks of the tier that are not run, and why."""
    notes: tuple[str, ...] = ()
    """What a reader should know of how it was put together."""

    @property
    def role(self) -> Role:
        """What the model stands for: one alone is a defended one only if it says that a defence made it."""
        return "defended" if self.base or hardened_from(self.model) else "undefended"

    @property
    def subjects(self) -> list[tuple[str, Role]]:
        """The models, and what each stands for."""
        control: Role = "random" if self.control.startswith(RANDOM) else "oracle"
        base: list[tuple[str, Role]] = [(self.base, "undefended")] if self.base else []
        return [(self.model, self.role), *base, (self.control, control)]


def planned(
    model: str,
    *,
    base: str | None = None,
    oracle: str | None = None,
    tier: Tier = "quick",
    domain: str = "arcana",
    seed: int = 0,
    suite: Suite = STANDARD,
) -> Audit:
    """What an audit is to run, with every name looked up.

    Args:
        model: what is judged.
        base: of which it is a defended version; else what its `holdfast.json` says, where that model is at hand.
        oracle: a model that never had the knowledge; else that of the organism it descends from, or a random
            initialisation.
        tier: of the suite.
        domain: a domain's name, or a directory of JSON lines.
        seed: decides everything drawn at random.
        suite: the battery.

    Raises:
        InputError: a name does not exist, the models are not different ones, the domain cannot tell harm, or a model's
            `holdfast.json` is malformed.
    """
    told, notes = (base, []) if base else _told_base(model)
    ancestor = eldest(told or model)
    control = oracle or _ORACLES.get(ancestor if domain == "arcana" else "")
    if control is None or control in {model, told}:
        control = oracle or f"{RANDOM}{(told or model).removeprefix(RANDOM)}"
    if len({model, told, control}) < 3:
        raise ConfigError(f"{model}, its base {told} and the oracle {control} must be three models, and are not.")
    for name in filter(None, (model, told, control)):
        origin(name)
    data = _opened(domain)
    attempts, left_out = _served(suite.of(tier), data, told or model)
    try:
        given = {control} if not control.startswith(RANDOM) else set[str]()
        check(
            Study(
                domain=domain,
                models=(model, *([told] if told else []), *given),
                attacks=tuple(method for one in attempts for method in spread([one.attack])),
            )
        )
    except StudyError as error:
        raise InputError(error.problem) from None
    return Audit(
        model=model,
        base=told,
        control=control,
        tier=tier,
        domain=domain,
        seed=seed,
        suite=suite,
        attempts=tuple(attempts),
        left_out=left_out,
        notes=tuple(notes),
    )


def rounds(audit: Audit, *, trying: bool = True) -> Rounds:
    """The cells of an audit, round by round: one on each model, the battery, then wider ranges of learning rates.

    Args:
        audit: what is attacked with what.
        trying: whether models are tried first. Without that all of the battery is told at once, whatever failed.

    Raises:
        ModelError: a model could not be loaded, as its first cells have shown.
    """
    cells = [cell for name, role in audit.subjects for cell in _battery(audit, name, role)]
    if trying:
        yield from _tried([_first(cells, role) for _, role in audit.subjects])
    records = yield cells
    for _ in range(audit.suite.sizes[audit.tier].widen):
        wider = [Method(name="sft", set=settings) for settings in widened(cells, records, THRESHOLD)]
        if not wider:
            break
        more = [cell for name, role in audit.subjects for cell in _cells(audit, name, role, wider, 1)]
        cells += more
        records = yield more


def _tried(first: Sequence[Sequence[Cell]]) -> Rounds:
    """One cell on each model, and others on those of whose weights nothing is known after that."""
    records: Mapping[str, Record] = {}
    for number in range(_TRIES):
        asked = [some[number] for some in first if number < len(some) and not _known(some[:number], records)]
        if asked:
            records = yield asked
    for some in first:
        if some and not _known(some, records):
            failure = records[some[0].key].failure
            raise ModelError(
                f"{some[0].model} could not be attacked at all: {failure.reason if failure else 'why is not known'}. "
                "See to that, and run it again with --retry-failed."
            )


def _first(cells: Sequence[Cell], role: Role) -> list[Cell]:
    """By what a model is tried first: the last cells on it, which take least, each of another attack."""
    some = {cell.method: cell for cell in cells if cell.role == role}
    return list(reversed(some.values()))[:_TRIES]


def _known(cells: Sequence[Cell], records: Mapping[str, Record]) -> bool:
    """Whether one of the runs came so far as to tell the weights: what failed later is the attack's affair."""
    return any(records[cell.key].weights or not records[cell.key].failure for cell in cells)


def _told_base(model: str) -> tuple[str | None, list[str]]:
    """The model that a hardened one was made from, where it is at hand; else why it is judged alone."""
    parent = hardened_from(model)
    if parent is None:
        return None, []
    name, weights = parent["name"], parent.get("weights")
    if is_there(name, weights):
        return name, [f"Its holdfast.json says that it was made from {name}, with which it is compared."]
    return None, [f"Its holdfast.json says that it was made from {name}, which is not here: name it with --base."]


def _opened(domain: str) -> Domain:
    """The domain, which must be able to tell harm."""
    data = open_domain(domain)
    for split in ("attack", "evaluation"):
        if split not in data.splits():
            raise DataError(f"domain {domain!r} has no split {split!r}: an audit attacks with one and asks the other.")
    if lacking("judge", data, ""):
        raise DataError(
            f"domain {domain!r} does not score harm, so an audit of it would tell nothing: use a domain that does."
        )
    return data


def _served(attempts: Sequence[Attempt], domain: Domain, model: str) -> tuple[list[Attempt], dict[str, str]]:
    """Those that can be run, and why each of the others cannot."""
    served: list[Attempt] = []
    lacked: list[tuple[Method, str]] = []
    for one in attempts:
        why = [reason for need in one.needs if (reason := lacking(need, domain, model))]
        if why:
            lacked.append((one.attack, "; ".join(why)))
        else:
            served.append(one)
    there = {one.attack.name for one in served}
    # Where another of its variants is run it takes the settings to tell which is not.
    return served, {label([one]) if one.name in there else one.name: why for one, why in lacked}


def _battery(audit: Audit, name: str, role: Role) -> list[Cell]:
    """Every attack on one model, one after the other, so that a worker loads it once."""
    usual = audit.suite.sizes[audit.tier].draws
    # Random weights show what an attack's data teach: one that trains nothing has none to teach them with.
    attempts = [one for one in audit.attempts if role != "random" or trains(spread([one.attack])[0])]
    return [
        cell
        for one in attempts
        for cell in _cells(audit, name, role, spread([one.attack]), usual if one.draws is None else one.draws)
    ]


def _cells(audit: Audit, name: str, role: Role, methods: Sequence[Method], draws: int) -> list[Cell]:
    made: list[Cell] = []
    for method in methods:
        for draw in range(draws):
            cell = Cell(
                verb="attack",
                model=name,
                role=role,
                method=method.name,
                settings=method.set,
                domain=audit.domain,
                metrics=_metrics(audit.domain),
                seed=audit.seed + draw,
            )
            made.append(_with_ladder(cell, audit.suite.ladder))
    return made


def _with_ladder(cell: Cell, ladder: Sequence[int]) -> Cell:
    """Rungs as far as the attack goes: a longer ladder of another tier is no other cell then."""
    steps = getattr(getattr(cell.built, "training", None), "steps", 0)
    return replace(cell, ladder=tuple(rung for rung in ladder if rung <= steps))


def _metrics(domain: str) -> tuple[tuple[str, Mapping[str, object]], ...]:
    """Harm, and utility where there are harmless questions."""
    splits = open_domain(domain).splits()
    return (("harm", {}), *([("utility", {})] if "permitted" in splits else []))
