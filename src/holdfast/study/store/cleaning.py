"""How much a store holds, whether it is what was written, and removing what nobody needs."""

from collections.abc import Collection
from dataclasses import dataclass, field

from holdfast.errors import Damaged
from holdfast.study.store import layout, leftovers
from holdfast.study.store.contents import Contents, short_of
from holdfast.study.store.manifest import Entry
from holdfast.study.store.store import Store


@dataclass(frozen=True, kw_only=True)
class Amount:
    """So many files of one kind."""

    files: int = 0
    bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a store holds, by kind."""

    records: Amount
    weights: Amount
    manifests: Amount
    leftovers: Amount
    """What `collect` would remove."""


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What was removed, or would be."""

    bytes: int = 0
    files: list[str] = field(default_factory=list[str])
    """By path below the store's root."""


def usage(store: Store) -> Usage:
    """How much a store holds.

    Raises:
        StoreError: it cannot be read.
    """
    store.check()
    contents = Contents(store)
    left = contents.leftovers()
    kinds = {
        kind: [found.bytes for path, found in contents.files.items() if path.startswith(folder) and path not in left]
        for kind, folder in (("records", layout.RECORDS), ("weights", layout.MODELS), ("manifests", layout.CELLS))
    }
    kinds["leftovers"] = list(left.values())
    return Usage(**{kind: Amount(files=len(sizes), bytes=sum(sizes)) for kind, sizes in kinds.items()})


def verify(store: Store, *, repair: bool = False) -> list[str]:
    """Compare everything in a store with its checksums. What a live claim is at, or is new, is passed over.

    Args:
        store: to look at.
        repair: forget what is damaged, so that the next run makes it anew, and remove what no manifest names.

    Returns:
        A sentence a problem.

    Raises:
        StoreError: it cannot be read, or written where it is to be repaired.
    """
    store.check()
    contents = Contents(store)
    problems: list[str] = []
    for key in sorted(contents.manifests.keys() - contents.busy):
        fault = _fault(store, key, contents.manifests[key])
        if fault:
            problems.append(f"cell {key[:12]}: {fault}")
            if repair:
                store.discard(key)
    for unit in sorted(contents.orphans()):
        problems.append(f"{unit} is named by no manifest.")
        if repair:
            _remove_orphan(store, unit)
    return problems


def collect(store: Store, keep: Collection[str] | None = None, *, dry_run: bool = False) -> Collected:
    """Remove leftovers: scratch and claims of the dead, and files older than an hour that no manifest names.

    Args:
        store: to clean.
        keep: keys of cells; every other cell is removed with all that it made, unless a live claim is at it.
        dry_run: only tell.

    Raises:
        StoreError: it cannot be read or written.
    """
    store.check()
    contents = Contents(store)
    going = contents.leftovers()
    unwanted = [] if keep is None else sorted(contents.manifests.keys() - set(keep) - contents.busy)
    for key in unwanted:
        going |= contents.of_cell(key)
    if not dry_run:
        for key in unwanted:
            store.discard(key)
        for unit in contents.orphans():
            _remove_orphan(store, unit)
        for path in contents.probes():
            store.place.remove(path)
        leftovers.sweep(store.place)
    return Collected(bytes=sum(going.values()), files=sorted(going))


def _fault(store: Store, key: str, entry: Entry | None) -> str | None:
    """What is wrong with a cell; None where nothing is."""
    if entry is None:
        # It may have been discarded since it was listed.
        return None if store.place.read(layout.cell(key)) is None else "its manifest is damaged or of another version."
    try:
        if layout.record(key) in entry.files:
            store.record(key)
        if any(layout.model_of(path) for path in entry.files) and not entry.dropped:
            with store.model(key):
                pass
    except Damaged as damaged:
        return str(damaged)
    return None


def _remove_orphan(store: Store, unit: str) -> None:
    """Remove a record or a folder of weights, unless a manifest has come to name it."""
    short = short_of(unit)
    with store.place.locked():
        cells = [path for path in store.place.files(layout.CELLS) if short_of(path) == short]
        for path in cells:
            entry = Entry.from_bytes(store.place.read(path), layout.key_of(path) or "")
            if entry is None or (not entry.dropped and any(one.startswith(unit) for one in entry.files)):
                return
        if layout.model_of(unit):
            store.place.remove_folder(unit)
        else:
            store.place.remove(unit)
