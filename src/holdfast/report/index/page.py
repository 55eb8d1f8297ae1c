"""The index as one HTML file: a table that can be filtered and sorted, and a heat map for each study.

Its one script is its own, named by its hash in the page's policy: nothing else can run, and nothing is fetched.
"""

import base64
import hashlib
from importlib import resources
from typing import Final

from holdfast.report.drawings.heat import heat
from holdfast.report.index.collect import Index
from holdfast.report.page import environment

_SCRIPT: Final = "index.js"
CONDITIONS: Final = ("resistance", "stability", "generalization", "trainability")
_CELLS: Final = 2000
"""A heat map of more places than that is left out: nobody could read it."""


def page(found: Index) -> str:
    """One self-contained file. The same index gives the same text."""
    script = (resources.files("holdfast.report") / "templates" / _SCRIPT).read_text(encoding="utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    drawings = [
        heat(one.cells, one.models, one.attacks, prefix=f"h{at}-")
        if 0 < len(one.models) * len(one.attacks) <= _CELLS
        else None
        for at, one in enumerate(found.studies, start=1)
    ]
    return (
        environment()
        .get_template("index.html.j2")
        .render(found=found, drawings=drawings, script=script, digest=digest, conditions=CONDITIONS)
    )
