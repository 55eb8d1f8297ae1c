"""Running a study: what is there is not made again, failure is a result, and nothing that was finished is lost."""

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from inline import Here

from holdfast.errors import Damaged, StoreError
from holdfast.records import Failure, Record
from holdfast.study.cells import Cell, with_parents
from holdfast.study.design import Study
from holdfast.study.plan import rounds, static
from holdfast.study.run import run
from holdfast.study.runners.runner import Ended
from holdfast.study.store.claims import Claims
from holdfast.study.store.store import Store

ONE = {"name": "adversarial", "set": {"training.steps": 1, "training.batch_size": 2}}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """One question of each kind, for the tiny model."""
    folder = tmp_path_factory.mktemp("data")
    pair = {"prompt": "How do I make a stew ?", "harmful": "First stir", "refusal": "Sorry", "category": "one"}
    asked = {**pair, "prompt": "Where do I find a stew ?"}  # what is asked is trained on by nobody
    for split, line in {"defence": pair, "attack": pair, "evaluation": asked}.items():
        (folder / f"{split}.jsonl").write_text(json.dumps(line) + "\n")
    for split, prompt in {"retain": "Is a stew safe ?", "permitted": "Is it a safe stew ?"}.items():
        (folder / f"{split}.jsonl").write_text(json.dumps({"prompt": prompt, "answer": "yes"}) + "\n")
    return str(folder)


def small(data, **changes):
    told = {"defences": [ONE], "attacks": ["none", "prefill"], "metrics": ["harm"], "ladder": [0], "domain": data}
    return Study(**{"name": "small", "models": ["tiny-llama"], **told, **changes})


def contents(store):
    """Every record by name."""
    return {path.name: path.read_bytes() for path in (store.local / "records").iterdir()}


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """The small study, finished."""
    store = Store(tmp_path_factory.mktemp("whole") / "store")
    return store, run(rounds(small(data)), store, Here())


def test_every_cell_once_and_parents_first(whole, data):
    store, ended = whole
    assert [one.state for one in ended.cells.values()] == ["done"] * 5
    assert len(contents(store)) == 4
    assert {*ended.cells} == {cell.key for cell in with_parents(static(small(data)))}
    hardened = Record.from_json(next(text for text in contents(store).values() if b'"defended"' in text))
    assert (hardened.model, hardened.defence["name"], hardened.seconds) == (
        "tiny-llama+adversarial",
        "adversarial",
        None,
    )


def test_a_second_run_does_nothing(whole, data):
    store, _ = whole
    before = contents(store)
    again = Here()
    ended = run(rounds(small(data)), store, again)
    assert (again.did, again.closed) == ([], True)
    assert all(one.found for one in ended.cells.values())
    assert contents(store) == before


def test_a_bigger_study_reuses_what_is_there(whole, data, tmp_path):
    """A new attack on the same models: they are not hardened again."""
    store, _ = whole
    here = Here()
    run(rounds(small(data, attacks=["none", "prefill", "completion"])), store, here)
    assert here.did == ["attack tiny-llama+adversarial: completion", "attack tiny-llama: completion"]


def test_failure_is_a_result_and_the_rest_goes_on(data, tmp_path):
    store, bad = Store(tmp_path / "store"), "attack tiny-llama: prefill"
    ended = run(rounds(small(data)), store, Here(fails={bad: Failure(reason="out of memory", log="the end")}))
    assert sorted(one.state for one in ended.cells.values()) == ["done"] * 4 + ["failed"]
    [failed] = [Record.from_json(text) for text in contents(store).values() if b"out of memory" in text]
    assert (failed.failure, failed.rungs, failed.role) == (
        Failure(reason="out of memory", log="the end"),
        [],
        "undefended",
    )
    # It is kept as a result, unless one asks to try again.
    assert run(rounds(small(data)), store, still := Here()).count("failed") == 1
    assert still.did == []
    assert run(rounds(small(data)), store, anew := Here(), retry_failed=True).count("failed") == 0
    assert anew.did == [bad]


def test_what_cannot_be_hardened_fails_what_was_to_start_from_it(data, tmp_path):
    store = Store(tmp_path / "store")
    lost = {"harden tiny-llama: adversarial": Failure(reason="the loss stopped being finite")}
    ended = run(rounds(small(data)), store, here := Here(fails=lost))
    assert here.did == ["harden tiny-llama: adversarial", "attack tiny-llama: none", "attack tiny-llama: prefill"]
    reasons = [one.failure for one in ended.cells.values() if one.cell.role == "defended" and one.cell.verb == "attack"]
    assert reasons == ["its model could not be made: the loss stopped being finite"] * 2
    assert ended.count("failed") == 3
    # Once it can be made, they can be measured.
    assert run(rounds(small(data)), store, Here(), retry_failed=True).count("done") == 5


def test_a_damaged_model_is_made_again_and_never_used(data, tmp_path):
    store = Store(tmp_path / "store")
    run(rounds(small(data)), store, Here())
    before = contents(store)
    [weights] = (store.local / "models").glob("*/model.safetensors")
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    # The record of one attack is damaged too, so that the model is needed again.
    path = next(path for path in (store.local / "records").iterdir() if b'"defended"' in path.read_bytes())
    path.write_bytes(path.read_bytes()[:-20])

    class Honest(Here):
        def start(self, key, function, *args):
            self.did.append(args[0].label)
            try:
                function(*args, lambda share: None)
                self.ended.append(Ended(key=key))
            except Damaged as error:
                self.ended.append(Ended(key=key, error=error))

    from holdfast.study import work

    work._loaded.clear()
    ended = run(rounds(small(data)), store, honest := Honest())
    assert honest.did[1:] == ["harden tiny-llama: adversarial", honest.did[0]]
    assert ended.count("done") == 5
    assert contents(store) == before


def test_a_model_that_is_not_kept_for_the_next_cell_is_the_cells_own(data, tmp_path, monkeypatch):
    """A small one is kept, and stays as it was loaded."""
    from holdfast.study import work

    [cell, *_] = [cell for cell in static(small(data)) if cell.model == "tiny-llama"]
    store = Store(tmp_path / "store")
    monkeypatch.setattr(work, "_loaded", {})
    (kept, mine), (again, _) = work._model(cell, store), work._model(cell, store)
    assert again is kept
    assert not mine
    monkeypatch.setattr(work, "_loaded", {})
    monkeypatch.setattr(work, "_SMALL", 0)
    (own, mine), (another, _) = work._model(cell, store), work._model(cell, store)
    assert another is not own
    assert mine


def test_two_that_find_one_model_damaged_have_it_made_once(data, tmp_path):
    """Both were reading it when it broke; the second must not throw away what was made anew for the first."""
    store = Store(tmp_path / "store")
    [model] = [cell for cell in with_parents(static(small(data))) if cell.verb == "harden"]

    class Both(Here):
        told = 0

        def start(self, key, function, *args):
            if args[0].model == model and self.told < 2:
                self.told += 1
                self.did.append(args[0].label)
                self.ended.append(Ended(key=key, error=Damaged(model.key, "a flipped bit")))
            else:
                super().start(key, function, *args)

    ended = run(rounds(small(data)), store, both := Both(slots=2))
    assert ended.count("done") == 5
    assert both.did.count("harden tiny-llama: adversarial") == 2


def test_a_model_that_is_damaged_each_time_ends_the_run(data, tmp_path):
    """A disk that keeps nothing: made once and three times anew, and not for ever."""
    [model] = [cell for cell in with_parents(static(small(data))) if cell.verb == "harden"]

    class Rotten(Here):
        def start(self, key, function, *args):
            if args[0].role == "defended" and args[0].verb == "attack":
                self.ended.append(Ended(key=key, error=Damaged(model.key, "a flipped bit")))
            else:
                super().start(key, function, *args)

    rotten = Rotten()
    with pytest.raises(StoreError, match="a flipped bit, each time that it is written: see to the disk under "):
        run(rounds(small(data)), Store(tmp_path / "store"), rotten)
    assert rotten.did.count("harden tiny-llama: adversarial") == 1 + 3


def test_a_store_that_cannot_be_used_leaves_no_runner_open(data, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError):
        run(rounds(small(data)), Store(tmp_path / "file"), here := Here())
    assert here.closed


def test_what_fails_now_is_not_tried_again_in_the_next_round(data, tmp_path):
    bad = "attack tiny-llama: prefill"
    first = static(small(data))

    def three():
        for _ in range(3):
            yield first

    here = Here(fails={bad: Failure(reason="out of memory")})
    assert run(three(), Store(tmp_path / "store"), here, retry_failed=True).count("failed") == 1
    assert here.did.count(bad) == 1


def test_weights_that_are_gone_need_not_be_dropped(data, tmp_path):
    store = Store(tmp_path / "store")
    run(rounds(small(data)), store, Here(), keep="none")
    [model] = [cell for cell in with_parents(static(small(data))) if cell.verb == "harden"]
    store.discard(model.key)
    assert run(rounds(small(data)), store, Here(), keep="none").count("done") == 5


def test_an_error_of_the_store_ends_the_run_and_loses_nothing(data, tmp_path):
    store = Store(tmp_path / "store")
    here = Here(errors={"attack tiny-llama: none": StoreError("the disk filled up")})
    with pytest.raises(StoreError, match="the disk filled up"):
        run(rounds(small(data)), store, here)
    assert here.closed
    assert not any((store.local / "running").iterdir())
    finished = contents(store)
    assert len(finished) == 2
    assert run(rounds(small(data)), store, Here()).count("done") == 5
    assert {name: contents(store)[name] for name in finished} == finished


def test_weights_are_dropped_unless_kept(data, tmp_path):
    kept = {}
    for keep in ("hardened", "all", "none"):
        store = Store(tmp_path / keep)
        run(rounds(small(data, keep=keep)), store, Here(), keep=keep)
        kept[keep] = sorted(path.name.rpartition("-")[0] for path in (store.local / "models").glob("*"))
        assert run(rounds(small(data, keep=keep)), store, again := Here(), keep=keep).count("done") == 5
        assert again.did == []
    assert kept["hardened"] == ["tiny-llama+adversarial"]
    assert kept["none"] == []
    # The undefended and the hardened model after attack `none`, too; prefilling changes no weight.
    assert len(kept["all"]) == 3


def test_weights_can_be_asked_for_later(data, tmp_path):
    store = Store(tmp_path / "store")
    run(rounds(small(data)), store, Here())
    before = contents(store)
    run(rounds(small(data, keep="all")), store, here := Here(), keep="all")
    assert here.did == ["attack tiny-llama+adversarial: none", "attack tiny-llama: none"]
    assert contents(store) == before


def test_dropped_weights_are_made_again_where_they_are_needed(data, tmp_path):
    store = Store(tmp_path / "store")
    run(rounds(small(data)), store, Here(), keep="none")
    run(rounds(small(data, attacks=["none", "prefill", "completion"])), store, here := Here(), keep="none")
    assert here.did[0] == "harden tiny-llama: adversarial"
    assert not any((store.local / "models").glob("*/model.safetensors"))


def test_two_runners_share_a_store(data, tmp_path):
    """While one is at a cell the other takes the next, and waits for what it must not do twice."""
    store = Store(tmp_path / "store")
    store.prepare()
    cells = with_parents(static(small(data)))
    other, taken = Claims(store), cells[-1]
    assert other.take(taken.key)

    class Waiting(Here):
        looked = 0

        def wait(self, timeout):
            self.looked += 1
            if self.looked == 20:  # the other is done
                from holdfast.study.work import do

                do(taken, taken.key, store, lambda share: None)
                other.release(taken.key)
            return super().wait(timeout)

    ended = run(rounds(small(data)), store, waiting := Waiting())
    assert taken.label not in waiting.did
    assert ended.count("done") == 5


def test_code_that_differs_is_refused(data, tmp_path, monkeypatch):
    from holdfast.study.work import do

    store, cell = Store(tmp_path / "store"), static(small(data))[0]
    store.prepare()
    with pytest.raises(StoreError, match="not those that the study was planned with"):
        do(dataclasses.replace(cell, seed=5), cell.key, store, lambda share: None)


PROGRAM = """
import json, sys
from holdfast.study.design import Study
from holdfast.study.plan import rounds
from holdfast.study.run import run
from holdfast.study.runners.local import Local
from holdfast.study.store.store import Store

if __name__ == "__main__":
    study = Study(**json.loads(sys.argv[1]))
    run(rounds(study), Store(sys.argv[2]), Local(2))
"""


def forty(data):
    """40 records and two hardened models."""
    told = {"seeds": {"defence": [0, 1], "attack": list(range(7))}, "attacks": ["none", "prefill"]}
    study = small(data, **told)
    assert len(static(study)) == 42
    return {
        "name": "forty",
        "models": ["tiny-llama"],
        "defences": [ONE],
        "metrics": ["harm"],
        "ladder": [0],
        "domain": data,
        **told,
    }


def start(study, place):
    return subprocess.Popen([sys.executable, "-c", PROGRAM, json.dumps(study), str(place)], start_new_session=True)


def killed_at_random(data, tmp_path, times):
    """Run, kill -9, and run again until it ends: what an undisturbed run gives, and nothing else is left."""
    study, place, rng = forty(data), tmp_path / "killed", random.Random(0)
    run(rounds(Study(**study)), Store(tmp_path / "whole"), Here())
    wanted = contents(Store(tmp_path / "whole"))
    finished: dict[str, int] = {}
    stamps = lambda: {path.name: path.stat().st_mtime_ns for path in (place / "cells").glob("*.json")}  # noqa: E731
    for _ in range(times):
        main = start(study, place)
        # The first seconds are spent on imports; then cells end every tenth of a second.
        time.sleep(rng.uniform(2.0, 7.0))
        os.killpg(main.pid, signal.SIGKILL) if rng.random() < 0.5 else main.kill()
        main.wait()
        now = stamps()
        assert {name: now[name] for name in finished} == finished  # nothing finished was done again
        finished = now
    assert start(study, place).wait(300) == 0
    assert {name: stamp for name, stamp in stamps().items() if name in finished} == finished
    assert contents(Store(place)) == wanted
    assert sorted(path.name for path in place.iterdir()) == sorted(path.name for path in (tmp_path / "whole").iterdir())
    for folder in ("scratch", "running"):
        assert list((place / folder).iterdir()) == []
    hidden = [path for path in place.rglob("*") if path.name.startswith(".") and path.name not in {".lock"}]
    assert hidden == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_twenty_random_moments_nothing_is_lost(data, tmp_path):
    killed_at_random(data, tmp_path, 20)


@pytest.mark.slow
def test_two_processes_on_one_store_do_nothing_twice(data, tmp_path):
    study = forty(data)
    both = [start(study, tmp_path / "both") for _ in range(2)]
    assert [one.wait(300) for one in both] == [0, 0]
    store = Store(tmp_path / "both")
    assert len(contents(store)) == 42
    assert all(store.entry(cell.key) for cell in with_parents(static(Study(**study))))


def test_cells_are_plain_to_pickle():
    import pickle

    cell = Cell(verb="attack", model=Cell(verb="harden", model="tiny-llama", method="none"), method="none")
    assert pickle.loads(pickle.dumps(cell)).key == cell.key
    assert Path(__file__).exists()
