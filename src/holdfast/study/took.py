"""How long the cells of a study took: making each model, and each run on it."""

from collections.abc import Iterable, Mapping

from holdfast.study.store.manifest import Entry
from holdfast.study.store.store import Store


def took(store: Store, keys: Iterable[str]) -> dict[str, tuple[float | None, float | None]]:
    """Seconds by key, as the manifests of a store tell them: they hold for the machine that did the work.

    Args:
        store: where the cells are; a model whose weights were dropped still tells how long it took.
        keys: of cells that have a record.

    Returns:
        For each: what making its model took, every stage of a pipeline and nothing of loading; and what the run itself
        took, its measuring included. None where that is not told, or no study made the model.
    """
    entries = store.entries(list(keys))
    makers = _makers(store, entries.values())
    return {key: (_making(entry, makers), _seconds(entry.about.get("working"))) for key, entry in entries.items()}


def _makers(store: Store, entries: Iterable[Entry]) -> dict[str, Entry]:
    """The cells that made the models, and those that made what these were made from."""
    found: dict[str, Entry] = {}
    wanted = {parent for entry in entries if (parent := entry.about.get("parent"))}
    while wanted:
        made = store.entries(sorted(wanted))
        found |= made
        wanted = {parent for entry in made.values() if (parent := entry.about.get("parent"))} - found.keys()
    return found


def _making(entry: Entry, makers: Mapping[str, Entry]) -> float | None:
    """Of all stages together; None where one does not tell."""
    total = 0.0
    parent = entry.about.get("parent")
    if not parent:
        return None
    while parent:
        maker = makers.get(parent)
        if maker is None or maker.seconds is None or maker.failure:
            return None
        total += maker.seconds - (_seconds(maker.about.get("loading")) or 0.0)
        parent = maker.about.get("parent")
    return total


def _seconds(told: object) -> float | None:
    """A manifest is JSON: what it tells may be of another version."""
    return float(told) if isinstance(told, int | float) and not isinstance(told, bool) else None
