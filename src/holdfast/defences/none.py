"""No defence: the model as it is. The baseline that every other row is held against.

Paper: none. Defaults: none. Divergences: none.
"""

from holdfast.config import config
from holdfast.interfaces import Model, View


@config
class NoDefence:
    """Leaves the model as it is."""

    def edit(self, model: Model, view: View) -> None:
        """Do nothing."""
