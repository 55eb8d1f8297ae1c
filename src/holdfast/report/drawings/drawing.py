"""One drawing, drawn once by matplotlib, as SVG to stand in a page and as PNG to stand alone."""

import io
import re
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Draw = Callable[["Figure"], None]

# Okabe and Ito's palette, told apart with any colour vision; dashes and markers tell them apart in grey.
INK: Final = "#222222"
MUTED: Final = "#5f6368"
GRID: Final = "#e4e4e0"

_STYLE: Final[dict[str, Any]] = {
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.labelsize": 9.5,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so that drawings are the same on every machine
    "font.size": 9.5,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "path.simplify": True,
    "savefig.dpi": 200,
    "svg.fonttype": "none",
    "svg.hashsalt": "holdfast",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
}


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One drawing, drawn once; written out as SVG or PNG when first asked for. The same input gives the same bytes."""

    name: str
    title: str
    caption: str
    """How to read it."""
    alt: str
    """What it shows, for who does not see it."""
    prefix: str
    """Before every id in the SVG, so that several can stand in one page."""
    figure: "Figure" = field(repr=False)

    @cached_property
    def svg(self) -> str:
        """An `<svg>` element to stand in a page."""
        written = io.StringIO()
        with _styled():
            self.figure.savefig(written, format="svg", metadata={"Date": None})
        return _inline(written.getvalue(), f"{self.prefix}{self.name}-", self.alt)

    @cached_property
    def png(self) -> bytes:
        """A picture to stand alone, 200 pixels an inch."""
        written = io.BytesIO()
        with _styled():
            self.figure.savefig(written, format="png", metadata={"Software": None})
        return written.getvalue()


def drawn(
    name: str, draw: Draw, *, size: tuple[float, float], title: str, caption: str, alt: str, prefix: str = ""
) -> Drawing:
    """Let `draw` fill a figure of `size` inches."""
    from matplotlib.figure import Figure

    with _styled():
        figure = Figure(figsize=size)
        draw(figure)
    return Drawing(name=name, title=title, caption=caption, alt=alt, prefix=prefix, figure=figure)


@contextmanager
def _styled() -> Generator[None]:
    import matplotlib

    style: Any = _STYLE
    with matplotlib.rc_context(style), warnings.catch_warnings():
        # A name in a script that the font lacks: the browser that shows the SVG has one.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def _inline(svg: str, prefix: str, alt: str) -> str:
    """A standalone SVG made fit to stand inside a page, with ids of its own and a text for who does not see it."""
    svg = svg[svg.index("<svg ") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    # matplotlib's style speaks of every element of the page; here it is the drawing's own.
    svg = re.sub(r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg [^>]*?) (?:height|width)="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg [^>]*?) (?:height|width)="[^"]*"', r"\1", svg, count=1)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    svg = re.sub(r'(<\w+) id="([^"]*)"', lambda m: f'{m[1]} id="{prefix}{m[2]}"' if m[2] in used else m[1], svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}", svg)
    svg = _without_bare_groups(svg.replace("font-family: 'DejaVu Sans'; ", ""))
    svg = re.sub(r' (?:d|x|y|transform|points)="[^"]*"', _rounded, svg)
    style = "stroke-linejoin:round;stroke-linecap:butt;font-family:system-ui, 'DejaVu Sans', sans-serif"
    head = f'<svg role="img" style="{style}" aria-labelledby="{prefix}alt"'
    svg = re.sub(r"<svg", head, svg, count=1)
    svg = re.sub(r"(<svg [^>]*>)", lambda m: f'{m[1]}\n<title id="{prefix}alt">{escape(alt)}</title>', svg, count=1)
    return re.sub(r"\n\s*", "\n", svg).strip()


def _without_bare_groups(svg: str) -> str:
    """Groups that say nothing of what they hold are half of a drawing's elements."""
    kept: list[bool] = []

    def tag(found: re.Match[str]) -> str:
        if found[0].startswith("<g"):
            kept.append(found[0] != "<g>")
            return found[0] if kept[-1] else ""
        return found[0] if kept.pop() else ""

    return re.sub(r"<g(?: [^>]*)?>|</g>", tag, svg)


def _rounded(attribute: re.Match[str]) -> str:
    """Coordinates to a hundredth of a point: a third of the size, and nothing the eye could see."""
    return re.sub(r"(\.\d\d)\d+", r"\1", attribute[0])
