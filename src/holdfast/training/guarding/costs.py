"""What an answer costs in harm, for a guard over reinforcement."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from holdfast.errors import DataError
from holdfast.interfaces import View

if TYPE_CHECKING:
    from holdfast.training.feedback.rollouts import Rollout


class Costs:
    """The domain's judge of harm, put to rollouts.

    It judges answers to whatever is asked, as a classifier does, and not only those to the defender's own pairs.
    """

    def __init__(self, view: View):
        self._harm = view.harm

    def of(self, rollouts: "Sequence[Rollout]") -> list[float]:
        """The harm of each answer, in [0, 1].

        Raises:
            DataError: the domain cannot tell.
        """
        costs = self._harm([one.pair for one in rollouts], [one.text for one in rollouts]) if self._harm else ()
        known = [float(cost) for cost in costs if cost is not None]
        if len(known) < len(rollouts):
            raise DataError("this domain does not score harm, so a guard over rewards has no cost to go by.")
        return known
