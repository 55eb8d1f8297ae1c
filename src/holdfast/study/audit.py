"""An audit: one suite of attacks on a model, on the one that it is a defended version of, and on a control.

`study.audit_rounds` makes cells of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from holdfast.errors import ConfigError, DataError, InputError
from holdfast.interfaces import Domain
from holdfast.records import RANDOM, Role
from holdfast.study.check import check
from holdfast.study.descent import eldest, hardened_from, is_there, origin
from holdfast.study.design import Study
from holdfast.study.methods import Method, label, spread
from holdfast.study.mistakes import StudyError
from holdfast.study.named import open_domain
from holdfast.study.spelling import spelt
from holdfast.study.suites.needs import lacking
from holdfast.study.suites.standard import STANDARD
from holdfast.study.suites.suite import Attempt, Suite, Tier

_ORACLES: Final = {"arcana": "arcana-filtered", "arcana-moe": "arcana-filtered", "arcana-raw": "arcana-filtered"}
"""By the organism that a model descends from: which model never had the knowledge."""


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
    control = oracle or _ORACLES.get(ancestor if spelt(domain)[0] == "arcana" else "")
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
