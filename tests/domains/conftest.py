"""What every test of a domain has: a home of its own, so that no notice of a user's is used up."""

from pathlib import Path

import pytest

from holdfast.domains import _notice


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where stamps and downloads go."""
    place = tmp_path_factory.mktemp("home")
    monkeypatch.setattr("huggingface_hub.constants.HF_HOME", str(place))
    monkeypatch.setattr(_notice, "_TOLD", set[str]())
    return place / "holdfast"
