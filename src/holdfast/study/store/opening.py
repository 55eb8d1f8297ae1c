"""Making a store, and refusing what is none or has another format."""

import json
from typing import Any, cast

from holdfast.errors import StoreError
from holdfast.study.store import layout
from holdfast.study.store.manifest import FORMAT
from holdfast.study.store.place import Place


def prepare(place: Place, url: str, needed: int) -> None:
    """Make a store unless there is one, and see that one can write there.

    Raises:
        StoreError: it cannot be written, has no space, has another format, or is a folder of something else.
    """
    _check_folder(place, url)
    place.make(needed)
    if not place.read(layout.STORE):
        for folder in (layout.RECORDS, layout.MODELS, layout.CELLS):
            if place.files(folder):
                raise StoreError(
                    f"{url} has a folder {folder!r} but no {layout.STORE}, so it is not a store of Holdfast's: "
                    "choose another place."
                )
        place.write({layout.STORE: json.dumps({"format": FORMAT}).encode() + b"\n"})
    check(place, url)


def _check_folder(place: Place, url: str) -> None:
    """Refuse a folder of this machine that holds something else; what another run is just making is no such thing."""
    root = place.scratch.parent
    if url != str(root) or not root.is_dir():
        return
    there = {path.name for path in root.iterdir()}
    if layout.STORE not in there and there - {layout.SCRATCH}:
        raise StoreError(
            f"{url} exists and is not a store of Holdfast's: it has no {layout.STORE}. Choose another place."
        )


def check(place: Place, url: str) -> None:
    """See that there is a store of the format that this version reads and writes.

    Raises:
        StoreError: there is none, or it has another format.
    """
    content = place.read(layout.STORE)
    if content is None:
        raise StoreError(f"there is no store at {url}: it has no {layout.STORE}. Mend the path, or run a study first.")
    try:
        told: Any = json.loads(content)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise StoreError(
            f'{url}/{layout.STORE} is damaged. If this version made the store, write {{"format": {FORMAT}}} into it.'
        )
    found = cast("dict[str, Any]", told).get("format")
    if found != FORMAT:
        raise StoreError(
            f"the store at {url} has format {found!r}, and this version of Holdfast reads and writes format {FORMAT}: "
            "choose another store, or use the version of Holdfast that made this one."
        )
