"""Judges as somebody names them beside a domain, and whose settings are whose."""

from collections.abc import Sequence
from typing import Any

from holdfast.study.named import Settings, method, open_domain, with_judges
from holdfast.study.stages import addressed, split


def judging(domain: str, named: Sequence[str], settings: Settings) -> tuple[str, dict[str, Any]]:
    """A domain under judges, as text, and what is left of settings that are not theirs.

    What a domain has set of a judge of its own stays, unless it is set otherwise.

    Args:
        domain: its name or directory, with settings where it has some.
        named: judges, the one that decides first; `own+phrases` are two. None means the domain's own, whose settings
            may be set all the same.
        settings: with a judge's name in front, those of that judge.

    Raises:
        UnknownName: there is no such judge, or no such domain.
        ConfigError: a setting of a judge does not fit.
    """
    usual = open_domain(domain).judges
    names = split(list(named)) or list(usual)
    own, theirs = addressed(settings, names)
    if not named and not any(theirs.values()):
        return domain, own
    judges = {name: {**usual.get(name, {}), **theirs[name]} for name in names}
    for name, given in judges.items():
        method("judges", name, given)
    return with_judges(domain, judges), own
