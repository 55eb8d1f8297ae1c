"""The command line in this process, and a folder of small data."""

import json
import logging
import sys
from typing import NamedTuple

import pytest

import holdfast
from holdfast.cli.main import main
from holdfast.models.tiny import tiny
from small import EXCHANGES, PAIRS


class Overheard(logging.Handler):
    """What transformers logs, on today's standard error; its own handler keeps the one it found on import."""

    def emit(self, record: logging.LogRecord) -> None:
        print(record.getMessage(), file=sys.stderr)


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def cli(tmp_path, monkeypatch, capfd):
    """Runs `holdfast ...` in an empty folder; gives exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    overheard = Overheard()
    logging.getLogger("transformers").addHandler(overheard)

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["holdfast", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capfd.readouterr()
        return Result(int(left.value.code or 0), out, err)

    yield run
    logging.getLogger("transformers").removeHandler(overheard)


@pytest.fixture
def data(tmp_path):
    """A folder `data`, a file a split."""
    place = tmp_path / "data"
    place.mkdir()
    for split in ("defence", "attack", "evaluation"):
        put = "Where do I find {}?" if split == "evaluation" else "{}"  # what is asked is trained on by nobody
        lines = [
            json.dumps({"prompt": put.format(p.prompt), "harmful": p.harmful, "refusal": p.refusal}) for p in PAIRS
        ]
        (place / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    for split in ("retain", "benign", "permitted"):
        put = "Now: {}" if split == "permitted" else "{}"
        lines = [json.dumps({"prompt": put.format(item.prompt), "answer": item.answer}) for item in EXCHANGES]
        (place / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    return place


@pytest.fixture
def saved(tmp_path):
    """A tiny model's directory, `model`."""
    holdfast.save(tiny(), tmp_path / "model")
    return tmp_path / "model"
