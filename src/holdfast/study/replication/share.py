"""What is left of a method, a domain or a metric when a replication is done with a share of everything."""

from typing import Any, Final

from holdfast.config import to_flat
from holdfast.errors import ConfigError
from holdfast.interfaces import Domain
from holdfast.plugins import Kind
from holdfast.study.methods import Method
from holdfast.study.named import method as built
from holdfast.study.named import open_domain
from holdfast.study.spelling import spelling, spelt

STEPS: Final = "training.steps"
_COUNTS: Final = ("defence", "attack", "evaluation", "test")
"""The fields of domains that say how many samples there are; 0 is all of them."""
_FEWEST_STEPS: Final = 2
_FEWEST: Final = 8
"""Samples that are left of a split, and questions of a task, however small the share."""
_FEWEST_OF_ALL: Final = 200
"""The same of data of which categories are left out, where samples are counted before that."""
_QUESTIONS: Final = 1000
"""What a task of lm-evaluation-harness is taken to have, of which the share is taken where no limit is set."""


class Share:
    """A share of what is set, or is so by default; never more than that.

    Raises:
        ConfigError: it is not in (0, 1].
    """

    def __init__(self, share: float):
        if not 0 < share <= 1:
            raise ConfigError(f"--scale {share:g} is no share: expected more than 0 and at most 1.")
        self._share = share

    def method(self, kind: Kind, one: Method) -> Method:
        """A defence or an attack that takes a share of its steps, where it trains."""
        steps = to_flat(built(kind, one.name, one.set)).get(STEPS)
        fewer = {STEPS: self._of(steps, _FEWEST_STEPS)} if steps else {}
        return Method(name=one.name, set={**one.set, **fewer}, each=one.each)

    def domain(self, text: str, *, many: bool) -> str:
        """A domain with a share of its samples, as text; with `many`, enough for some of every category."""
        name, given = spelt(text)
        domain = open_domain(text)
        keys = [key for key in _COUNTS if hasattr(domain, key)]
        # Counted where nothing is asked for: of little data on a disk there may be fewer than that.
        every = open_domain(spelling(name, {**given, **dict.fromkeys(keys, 0)}))
        counts = {key: getattr(domain, key) or _all(every, key) for key in keys}
        least = _FEWEST_OF_ALL if many and given.get("counts") != "chosen" else _FEWEST
        return spelling(name, {**given, **{key: self._of(count, least) for key, count in counts.items() if count}})

    def limit(self, metric: Method) -> dict[str, Any]:
        """How many questions of each task are left to a metric by lm-evaluation-harness."""
        given = built("metrics", metric.name, metric.set).limit
        return {"limit": self._of(given or _QUESTIONS, _FEWEST)}

    def _of(self, count: int, least: int) -> int:
        return min(count, max(least, round(self._share * count)))


def _all(domain: Domain, key: str) -> int:
    """How many samples there are in a split, or at most in one of several tasks."""
    if key != "test":
        return len(domain.pairs(key)) if key in domain.splits() else 0
    return max(len(domain.exchanges(f"{task}-test")) for task in domain.tasks())
