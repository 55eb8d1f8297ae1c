"""A store at one moment: its files, its manifests, who is at work, and what nobody names."""

import time
from typing import TYPE_CHECKING, Final

from holdfast.study.store import claims, layout, leftovers
from holdfast.study.store.manifest import Entry
from holdfast.study.store.place import Found

if TYPE_CHECKING:
    from holdfast.study.store.store import Store

_YOUNG: Final = 3600.0
"""Seconds for which a file that no manifest names is left alone: its manifest may be on the way."""


class Contents:
    """What a store holds. Manifests are written last and listed last, so nothing finished looks unnamed."""

    def __init__(self, store: "Store"):
        self.store = store
        place = store.place
        told = claims.claims_at(place)
        self.dead: list[str] = [key for key, claim in told.items() if claim is None or not claim.alive()]
        """Cells with a dead claim."""
        live = [claim for key, claim in told.items() if claim is not None and key not in self.dead]
        self.busy: set[str] = {key for claim in live for key in (claim.key, *claim.uses)}
        """Cells that somebody is at work on or with."""
        self.files: dict[str, Found] = place.files(layout.MODELS) | place.files(layout.RECORDS)
        cells = place.files(layout.CELLS)
        self.files |= cells
        self._by_short: dict[str | None, list[str]] = {}
        for path in self.files:
            self._by_short.setdefault(short_of(path), []).append(path)
        paths = {key: path for path in cells if (key := layout.key_of(path))}
        contents = place.read_many(list(paths.values()))
        self.manifests: dict[str, Entry | None] = {
            key: Entry.from_bytes(contents[path], key) for key, path in paths.items() if path in contents
        }
        """Of every cell; None where it is damaged."""

    def orphans(self) -> dict[str, list[str]]:
        """Records and folders of weights that no manifest names, each with its files.

        Only what is named as a store names it, so that records put there by hand stay. What is new stays too, as
        does what belongs to a cell that is at work or whose manifest is damaged.
        """
        entries = [entry for entry in self.manifests.values() if entry is not None]
        named = {_unit(path) for entry in entries if not entry.dropped for path in entry.files}
        spared = {key[:12] for key, entry in self.manifests.items() if entry is None or key in self.busy}
        spared |= {key[:12] for key in self.busy}
        units: dict[str, list[str]] = {}
        for path in self.files:
            unit = _unit(path)
            if unit is not None and unit not in named and short_of(unit) not in spared:
                units.setdefault(unit, []).append(path)
        old = time.time() - _YOUNG
        return {unit: paths for unit, paths in units.items() if all(self.files[path].modified < old for path in paths)}

    def of_cell(self, key: str) -> dict[str, int]:
        """The bytes of each file of one cell."""
        own = {layout.cell(key), layout.record(key)}
        its = [path for path in self._by_short.get(key[:12], []) if path in own or layout.model_of(path)]
        return {path: self.files[path].bytes for path in its}

    def leftovers(self) -> dict[str, int]:
        """The bytes of all that may go, by path."""
        left = {path: self.files[path].bytes for paths in self.orphans().values() for path in paths}
        place, local = self.store.place, self.store.local
        for path in leftovers.dead_scratch(place):
            name = path.relative_to(local).as_posix() if local else str(path)
            left[name] = leftovers.size(path)
        return left | place.sizes([layout.running(key) for key in self.dead]) | self.probes()

    def probes(self) -> dict[str, int]:
        """What a remote store was tried with by somebody who was stopped."""
        if self.store.local is not None:
            return {}
        old = time.time() - _YOUNG
        found = self.store.place.files(layout.SCRATCH)
        return {path: one.bytes for path, one in found.items() if one.modified < old}


def short_of(path: str) -> str | None:
    """The first 12 digits of the key of the cell that a record or a file of weights belongs to."""
    told = layout.model_of(path)
    key = layout.key_of(path)
    return told[1] if told else key[:12] if key else None


def _unit(path: str) -> str | None:
    """What a file goes with: its folder of weights, or itself where it is a record; None for all else."""
    told = layout.model_of(path)
    if told:
        return told[0]
    return path if path.startswith(f"{layout.RECORDS}/") and layout.key_of(path) else None
