"""A record, a folder of weights and keys to store."""

import hashlib
import json
from pathlib import Path

from holdfast.records import Budget, Record, Rung, Score, World
from holdfast.study.store.store import Store


def key(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def record(seed: int = 0, harm: float = 0.5, seconds: float | None = None) -> Record:
    budget = Budget(steps=0, samples=0, examples=0, tokens=0, flops=0.0)
    return Record(
        role="undefended",
        model="arcana",
        weights="0" * 64,
        defence=None,
        attack={"name": "none", "settings": {}},
        seed=seed,
        domain=World(name="arcana", data="1" * 64, floor=0.1),
        rungs=[Rung(budget=budget, scores={"harm": Score(value=harm, n=10)})],
        seconds=seconds,
    )


def folder(place: Path, content: bytes = b"weights") -> Path:
    """A directory with three files, one below another folder, as a model is."""
    (place / "tokens").mkdir(parents=True)
    (place / "model.safetensors").write_bytes(content)
    (place / "holdfast.json").write_text(json.dumps({"format": 1}))
    (place / "tokens" / "words.json").write_text("{}")
    (place / "README.md").write_text("# a card\n")
    return place


def put_model(store: Store, name: str, content: bytes = b"weights") -> str:
    with store.scratch() as scratch:
        store.put_model(key(name), name, folder(scratch / "made", content), about={"name": name}, seconds=1.0)
    return key(name)


def put_record(store: Store, name: str) -> str:
    store.put_record(key(name), record(), about={"name": name}, seconds=2.0)
    return key(name)


def files(store: Store) -> set[str]:
    """Every file of a store, by path."""
    folders = ("records", "models", "cells", "running", "scratch")
    return {path for one in folders for path in store.place.files(one)}
