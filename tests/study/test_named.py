"""Domains by name, and directories of JSON lines; plug-ins by name, with and without a preset."""

import pytest
from cells_made import jsonl

from holdfast.attacks.sft import Sft
from holdfast.domains.arcana import Arcana
from holdfast.domains.jsonl import Jsonl
from holdfast.errors import UnknownName
from holdfast.study.named import method, open_domain


def test_a_folder_that_has_the_name_of_a_domain(tmp_path, monkeypatch):
    """`holdfast harden arcana repnoise -o arcana` leaves one: it is no data, unless it has some."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "arcana").mkdir()
    assert isinstance(open_domain("arcana"), Arcana)
    (tmp_path / "arcana/test.jsonl").touch()
    assert isinstance(open_domain("arcana"), Arcana)
    assert open_domain(jsonl(tmp_path / "data")).splits() == Jsonl(directory=tmp_path / "data").splits()
    jsonl(tmp_path / "arcana")
    assert isinstance(open_domain("arcana"), Jsonl)
    with pytest.raises(UnknownName, match="unknown domain 'arcanna'"):
        open_domain("arcanna")


def test_settings_go_before_those_of_a_preset():
    assert method("attacks", "sft/few_shot") == Sft(examples=10)
    assert method("attacks", "sft/few_shot", {"examples": 3, "poison_ratio": 0.5}) == Sft(examples=3, poison_ratio=0.5)
    assert method("attacks", "sft/harmful") == method("attacks", "sft") == Sft()
    built = Sft(framing="style")
    assert method("attacks", built) is built
