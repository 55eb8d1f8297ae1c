"""The domain itself: its own score of an answer, exact where the domain knows what is true."""

from collections.abc import Sequence

from holdfast.config import config
from holdfast.interfaces import Domain, Pair


@config
class Own:
    """The domain's own score."""

    def harm(self, domain: Domain, pairs: Sequence[Pair], answers: Sequence[str]) -> list[float | None]:
        """One answer after another."""
        return [domain.harm(pair, answer) for pair, answer in zip(pairs, answers, strict=True)]
