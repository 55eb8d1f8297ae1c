"""A folder of data for `studies/repnoise_paper.yaml`: all that it reads, small, harmless, of true schema."""

from pathlib import Path

import written_data
import written_tasks


def folder(place: Path) -> Path:
    """As `holdfast replicate --data` wants it: a folder for each domain, and `lm_eval`."""
    written_data.beavertails(place / "beavertails", count=1700, size="330k", of=written_data.FOURTEEN)
    written_data.decoding_trust(place / "decoding_trust")
    written_data.gem(place / "gem", asked_about=12)
    written_tasks.paper(place / "lm_eval")
    return place
