"""The hash of a model's directory, by hand: results that are kept hang on it."""

import os
from hashlib import sha256

from holdfast.config import content_hash
from holdfast.judges.classifier import Classifier
from holdfast.models.directory import directory_hash
from holdfast.study.fingerprint import model_fingerprint


def test_names_and_contents_by_hand(tmp_path):
    (tmp_path / "deep").mkdir()
    for name, text in (("config.json", "{}"), ("deep/words.json", "stew"), ("README.md", "A card.")):
        (tmp_path / name).write_text(text)
    by_hand = {"config.json": sha256(b"{}").hexdigest(), "deep/words.json": sha256(b"stew").hexdigest()}
    assert directory_hash(tmp_path) == content_hash(by_hand)
    # Whoever asks: of a model that is attacked, and of one that judges.
    assert model_fingerprint(str(tmp_path)) == Classifier(model=str(tmp_path)).fingerprint() == content_hash(by_hand)
    (tmp_path / "config.json").write_text("[]")
    os.utime(tmp_path / "config.json", ns=(1, 1))
    assert directory_hash(tmp_path) == content_hash(by_hand | {"config.json": sha256(b"[]").hexdigest()})
