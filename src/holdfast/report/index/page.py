"""The index as one HTML file: a table that can be filtered and sorted, and a heat map for each study.

Its one script is its own, named by its hash in the page's policy: nothing else can run, and nothing is fetched.
"""

import base64
import hashlib
from importlib import resources
from typing import Final

from holdfast.report.drawings.ranking import Ranked, ranking
from holdfast.report.index.collect import Index
from holdfast.report.page import environment
from holdfast.report.scale.cells import means

_SCRIPT: Final = "index.js"
CONDITIONS: Final = ("resistance", "stability", "generalization", "trainability")
_CELLS: Final = 2000
"""A heat map of more places than that is left out, and the page says so: nobody could read it."""


def page(found: Index) -> str:
    """One self-contained file. The same index gives the same text."""
    script = (resources.files("holdfast.report") / "templates" / _SCRIPT).read_text(encoding="utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    grids = [
        means(one.cells, one.models, one.attacks) if len(one.models) * len(one.attacks) <= _CELLS else []
        for one in found.studies
    ]
    ranked = [
        Ranked(
            name=row.model if len(found.studies) == 1 else f"{found.studies[row.study].name}: {row.model}",
            outcome=row.outcome,
            low=row.multiplier.low if row.multiplier else None,
            high=row.multiplier.high if row.multiplier else None,
        )
        for row in found.rows
    ]
    return (
        environment()
        .get_template("index.html.j2")
        .render(found=found, grids=grids, ranking=ranking(ranked), script=script, digest=digest, conditions=CONDITIONS)
    )
