"""Small files of the schema of each public data set, in place of those of the hub; and a tiny classifier likewise."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import written_data
from judges.classifiers import classifier


def written(patch: pytest.MonkeyPatch, place: Path) -> None:
    """Have whatever would be downloaded be read from `place`."""
    from holdfast.domains import _hub, _notice, _prose
    from holdfast.judges import _scorer

    there = place / "hub"
    if not there.is_dir():
        _make(there)

    def from_disk(wanted: Any, folder: str) -> Any:
        here = replace(wanted, address=str(there / wanted.address.replace("/", "--")))
        return _hub._loaded(here, _hub._chosen(here, Path(here.address)), folder)

    loaded, version = _scorer.loaded, _scorer.version

    def here(name: str) -> str:
        return (
            name if Path(name).is_dir() else str(there / ("another-classifier" if "toxic" in name else "a-classifier"))
        )

    patch.setattr(_hub, "_from_hub", from_disk)
    patch.setattr(_hub, "_downloaded", lambda wanted: next(there.rglob(wanted.address.rpartition("/")[2])))
    patch.setattr(_scorer, "loaded", lambda name, revision: loaded(here(name), ""))
    patch.setattr(_scorer, "version", lambda name, revision: version(here(name), ""))
    patch.setattr("huggingface_hub.constants.HF_HOME", str(place / "home"))
    # The models that stand in for large ones do not know of what is asked, and would refuse nothing.
    patch.setattr(_prose, "refused", lambda text: True)
    patch.setattr(_notice, "_TOLD", set[str]())


def _make(there: Path) -> None:
    there.mkdir(parents=True)
    answers = there / "PKU-Alignment--BeaverTails"
    answers.mkdir()
    written_data.beavertails(answers, count=1600, of=written_data.FOURTEEN)
    (answers / "refused").rename(there / "anonymous4486--repnoise_beavertail")
    for part in ("bio", "chem", "cyber"):
        written_data.choices(there / "cais--wmdp" / f"wmdp-{part}.jsonl", 40)
    written_data.xstest(there / "Paul--XSTest" / "prompts.csv")
    written_data.decoding_trust(there / "AI-Secure--DecodingTrust", typed=False, counts=(20, 300, 30))
    for name in ("viggo", "e2e_nlg", "dart", "conversational_weather", "CACAPO_E2E"):
        written_data.gem(there / f"GEM--{name}", asked_about=5)
    classifier(there / "a-classifier", biases=(-2.0, 2.0))
    classifier(there / "another-classifier", labels=("harmless", "toxic"), biases=(2.0, -2.0))
