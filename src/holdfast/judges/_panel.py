"""All the judges that a domain names, asked about the same answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast import plugins
from holdfast.config import build, to_dict
from holdfast.interfaces import Domain, Judge, Pair


def panel(domain: Domain) -> Mapping[str, Judge]:
    """The judges of a domain by name, the one that decides first.

    Raises:
        UnknownName: there is no judge of a name.
        ConfigError: a setting of one does not fit.
    """
    return {name: build(plugins.find("judges", name), given) for name, given in (domain.judges or {"own": {}}).items()}


def judged(domain: Domain, pairs: Sequence[Pair], answers: Sequence[str]) -> Mapping[str, "list[float | None]"]:
    """What each judge of a domain says of each answer, by the judge's name."""
    return {name: judge.harm(domain, pairs, answers) for name, judge in panel(domain).items()}


def harm(domain: Domain, pairs: Sequence[Pair], answers: Sequence[str]) -> "list[float | None]":
    """What the judge that decides says of each answer."""
    return next(iter(panel(domain).values())).harm(domain, pairs, answers)


def deciding(judge: Judge) -> dict[str, Any]:
    """The settings of a judge that can change a verdict."""
    aside = getattr(judge, "ASIDE", frozenset[str]())
    return {name: value for name, value in to_dict(judge).items() if name not in aside}


def fingerprints(domain: Domain) -> list[str]:
    """Hashes of what judges of a domain read beside their settings, as a classifier in a directory does."""
    told = (getattr(judge, "fingerprint", None) for judge in panel(domain).values())
    return [fingerprint() for fingerprint in told if fingerprint is not None]
