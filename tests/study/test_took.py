"""Seconds from manifests written by hand: of making a model, all its stages, and of a run."""

from hashlib import sha256

from holdfast.records import Failure, Record, World
from holdfast.study.store.store import Store
from holdfast.study.took import took


def key(name):
    return sha256(name.encode()).hexdigest()


def model(store, name, seconds, loading, parent=None):
    with store.scratch() as scratch:
        (scratch / "model").mkdir()
        (scratch / "model" / "weights").write_text(name)
        about = {"verb": "harden", "loading": loading, "working": None, "parent": parent and key(parent)}
        store.put_model(key(name), name, scratch / "model", about=about, seconds=seconds)


def run(store, name, working, parent=None):
    record = Record(
        role="undefended", model="base", weights="ba5e", defence=None, attack={"name": "sft", "settings": {}}, seed=0,
        domain=World(name="fable", data="da7a", floor=None),
    )  # fmt: skip
    about = {"verb": "attack", "loading": 1.0, "working": working, "parent": parent and key(parent)}
    store.put_record(key(name), record, about=about, seconds=100.0)


def test_every_stage_of_a_pipeline_counts_and_loading_does_not(tmp_path):
    """10 s with 1 s of loading, then 5 s with 2: 9 + 3. The run itself took 3.5 s of 100."""
    store = Store(tmp_path / "store")
    store.prepare()
    model(store, "one", 10.0, 1.0)
    model(store, "two", 5.0, 2.0, parent="one")
    run(store, "attack", 3.5, parent="two")
    run(store, "plain", 2.5)
    run(store, "of an older version", "soon", parent="one")
    assert took(store, map(key, ("attack", "plain", "of an older version", "there is none"))) == {
        key("attack"): (12.0, 3.5),
        key("plain"): (None, 2.5),
        key("of an older version"): (9.0, None),
    }
    store.drop_model(key("one"))
    assert took(store, [key("attack")]) == {key("attack"): (12.0, 3.5)}


def test_a_model_that_could_not_be_made_tells_nothing(tmp_path):
    store = Store(tmp_path / "store")
    store.prepare()
    store.put_failure(key("one"), Failure(reason="out of memory"), about={"verb": "harden"}, seconds=4.0)
    run(store, "attack", None, parent="one")
    assert took(store, [key("attack")]) == {key("attack"): (None, None)}
