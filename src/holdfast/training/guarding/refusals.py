"""What a guard teaches beside somebody else's data: refusals, and harmless exchanges where there are some."""

from collections.abc import Iterator

from holdfast.interfaces import Row, View
from holdfast.training.rows import paired


def refusals(view: View, seed: int, *, retain: bool = False) -> Iterator[Row]:
    """Rows of role `refusal`, a harmful question refused, and if asked for `retain`, where the view has harmless ones.

    They stand in the order of `paired`, without the harmful answers.

    Raises:
        DataError: the view has no pairs, or the two answers of a pair are equal.
    """
    wanted = ("refusal", "retain") if retain else ("refusal",)
    for row in paired(view, seed):
        yield {role: row[role] for role in wanted if role in row}
