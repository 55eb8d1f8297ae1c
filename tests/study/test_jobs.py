"""What a job is known by, and what workers do with jobs."""

import pytest

from holdfast.errors import Diverged
from holdfast.study import jobs, origin, pool
from holdfast.study.jobs import Job

ATTACK = Job(verb="attack", model="arcana", method="sft", settings={"training.learning_rate": 1e-3})
HARDEN = Job(verb="harden", model="arcana", method="repnoise")


def attack(**changes):
    return Job(**{"verb": "attack", "model": "arcana", "method": "sft", "settings": ATTACK.settings, **changes})


def test_a_job_is_known_by_all_that_decides_it(monkeypatch):
    others = [
        attack(settings={"training.learning_rate": 1e-4}),
        attack(seed=1),
        attack(model="arcana-filtered"),
        attack(model=HARDEN),
        attack(model=Job(verb="harden", model="arcana", method="repnoise", seed=1)),
        attack(categories=("hex",)),
        attack(ladder=(0, 1)),
        attack(role="oracle"),
    ]
    assert len({job.key() for job in (ATTACK, *others)}) == 9
    assert attack().key() == ATTACK.key()
    key = ATTACK.key()
    monkeypatch.setattr(jobs, "code_hash", lambda: "changed code")
    assert ATTACK.key() != key


def test_the_codes_hash_follows_code_weights_and_words(monkeypatch, tmp_path):
    def hashed(**files):
        (tmp_path / "__init__.py").touch()
        for name, text in files.items():
            (tmp_path / name.replace("_", ".")).write_text(text)
        return origin.code_hash.__wrapped__()

    monkeypatch.setattr("holdfast.__file__", str(tmp_path / "__init__.py"))
    seen = [hashed(), hashed(a_py="x = 1"), hashed(a_py="x = 2"), hashed(w_safetensors="w"), hashed(t_json="{}")]
    assert len({*seen}) == 5
    assert hashed(README_md="other") == seen[-1]


def test_a_result_lies_under_its_hash(tmp_path):
    assert ATTACK.place(tmp_path) == tmp_path / "records" / f"{ATTACK.key()}.json"
    assert HARDEN.place(tmp_path) == tmp_path / "models" / f"arcana-repnoise-{HARDEN.key()[:12]}"
    assert not ATTACK.done(tmp_path)
    HARDEN.place(tmp_path).mkdir(parents=True)
    assert not HARDEN.done(tmp_path)  # a folder that is there is no model yet


def test_what_waits_for_a_model_comes_after_it(monkeypatch, tmp_path):
    """Each job leaves a number; the attack on the hardened model cannot have a lower one than the hardening."""
    monkeypatch.setattr(pool, "_work", leave)
    told = []
    order = [HARDEN, attack(model=HARDEN), ATTACK]
    pool.run(order, tmp_path, workers=2, on_progress=lambda *done: told.append(done))
    times = [float((tmp_path / job.key()).read_text()) for job in order]
    assert times[0] < times[1]
    assert told[-1][1] == sum(job.work for job in order)


def leave(number, job, output):
    import time
    from pathlib import Path

    time.sleep(0.05)
    Path(output, job.key()).write_text(str(time.monotonic()))


def test_a_worker_that_fails_is_told_of(monkeypatch, tmp_path):
    """Its error is the main process's own: an error of Holdfast's kinds, not of the pool's."""
    monkeypatch.setattr(pool, "_work", fail)
    with pytest.raises(Diverged, match="at step 8"):
        pool.run([ATTACK], tmp_path, workers=1)


def fail(number, job, output):
    raise Diverged(7, {"noise": float("nan")})
