"""No attack: the model is only measured. It gives the harm and utility before any attack.

Paper: none. Defaults: none. Divergences: none.
"""

from holdfast.config import config
from holdfast.interfaces import Model, View


@config
class NoAttack:
    """Leaves the model as it is."""

    def edit(self, model: Model, view: View) -> None:
        """Do nothing."""
