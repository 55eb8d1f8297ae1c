"""All the judges that a domain names, asked about the same answers."""

from collections.abc import Mapping, Sequence

from holdfast import plugins
from holdfast.config import build
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


def harm(domain: Domain, pair: Pair, answer: str) -> float | None:
    """What the judge that decides says of one answer."""
    first = next(iter(panel(domain).values()))
    return first.harm(domain, [pair], [answer])[0]
