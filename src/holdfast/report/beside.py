"""What else lies in a folder of records and belongs on its page: the scale, and the depth of models."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from holdfast.depths import Depth
from holdfast.report.depth.pages import DATA as DEPTH
from holdfast.report.drawings import depth, scale
from holdfast.report.drawings.drawing import Drawing
from holdfast.report.plain import read
from holdfast.report.scale.found import Durability
from holdfast.report.scale.pages import DATA as SCALE

_DRAWN: Final = ("information", "relearnt")
"""Of the drawings of depth, those that the sentence rests on."""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """One of them."""

    title: str
    said: str
    drawings: Sequence[Drawing]


def beside(folder: Path, prefix: str = "") -> list[Beside]:
    """Read every `scale.json` and `depth.json` in a folder, and in the folders in it.

    Args:
        folder: where `holdfast scale -o` and `holdfast depth -o` wrote, or one above.
        prefix: put before every id in the drawings.

    Raises:
        DataError: one of them is not what Holdfast writes.
    """
    found: list[Beside] = []
    for at, place in enumerate(_places(folder, SCALE)):
        one = read(Durability, place)
        found.append(
            Beside(
                title="Defences and attacks on one scale",
                said=f"Of {one.fitted} cells; durability 0 is {one.zero}, undefended.",
                drawings=[scale.drawing(one, prefix=f"{prefix}scale{at}-")],
            )
        )
    for at, place in enumerate(_places(folder, DEPTH)):
        one = read(Depth, place)
        drawings = depth.drawings(one, prefix=f"{prefix}depth{at}-")
        found.append(
            Beside(
                title=f"Depth of {one.model}",
                said=f"{one.verdict.sentence} Beside {one.base}, on {one.domain}.",
                drawings=[drawing for drawing in drawings if drawing.name in _DRAWN],
            )
        )
    return found


def _places(folder: Path, name: str) -> list[Path]:
    return sorted([*folder.glob(name), *folder.glob(f"*/{name}")])
