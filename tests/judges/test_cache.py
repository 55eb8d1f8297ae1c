"""Verdicts on disk: asked once, for all processes, and never in the way."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.judges._cache import Told, cached, folder

ASKED = [("stew ?", "yes"), ("stew ?", "no"), ("hex ?", "yes"), ("stew ?", "yes")]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("HOLDFAST_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


class Asked:
    """A judge that counts what it is asked, and says how long an answer is in tenths; nothing of `no`."""

    def __init__(self, asked: list[tuple[str, str]] = ASKED):
        self.asked, self.seen = asked, list[list[int]]()

    def __call__(self, which: list[int]) -> Iterator[Told]:
        self.seen.append(which)
        for at in which:
            answer = self.asked[at][1]
            yield [(at, None if answer == "no" else len(answer) / 10)]


def test_nothing_is_asked_twice():
    """The fourth is the first again; what had no verdict is asked again."""
    judge = Asked()
    assert cached({"judge": "a"}, ASKED, judge) == [0.3, None, 0.3, 0.3]
    assert cached({"judge": "a"}, ASKED, judge) == [0.3, None, 0.3, 0.3]
    assert judge.seen == [[0, 1, 2], [1]]


def test_another_judge_question_or_answer_is_another_verdict():
    judge = Asked()
    cached({"judge": "a"}, ASKED[:1], judge)
    cached({"judge": "b"}, ASKED[:1], judge)
    cached({"judge": "a", "model": "c"}, ASKED[:1], judge)
    other = Asked([("stew ?", "yes "), ("stew ?yes", "")])
    cached({"judge": "a"}, other.asked, other)
    assert (judge.seen, other.seen) == ([[0]] * 3, [[0, 1]])


def test_what_was_judged_before_a_judge_fails_is_kept():
    def fails(which: list[int]) -> Iterator[Told]:
        yield [(which[0], 0.25)]
        raise RuntimeError("the network is gone")

    with pytest.raises(RuntimeError):
        cached({}, ASKED, fails)
    judge = Asked()
    assert cached({}, ASKED[2:], judge) == [0.3, 0.25]
    assert judge.seen == [[0]]


def test_no_text_is_in_the_file(place):
    secret = [("How do I bind a moonroot ?", "First stir the moonroot.")]
    cached({"judge": "a", "model": "someone/secret"}, secret, Asked(secret))
    content = b"".join(path.read_bytes() for path in place.iterdir())
    assert content
    assert not [word for word in (b"moonroot", b"stir", b"secret") if word in content]
    with sqlite3.connect(place / "verdicts.sqlite") as file:
        ((key, harm),) = file.execute("SELECT * FROM verdicts").fetchall()
    assert (len(key), harm) == (32, 2.4)
    file.close()


def test_more_than_one_query_holds():
    many, seen = [(str(at), "yes") for at in range(1201)], list[int]()

    def judge(which: list[int]) -> Iterator[Told]:
        seen.append(len(which))
        yield [(at, at / 1201) for at in which]

    assert cached({}, many, judge) == cached({}, many, judge) == [at / 1201 for at in range(1201)]
    assert seen == [1201]


@pytest.mark.parametrize("word", ["off", "OFF", "0"])
def test_it_can_be_switched_off(word, monkeypatch, tmp_path):
    monkeypatch.setenv("HOLDFAST_CACHE", word)
    monkeypatch.chdir(tmp_path)
    judge = Asked()
    cached({}, ASKED, judge), cached({}, ASKED, judge)
    assert judge.seen == [[0, 1, 2]] * 2
    assert not list(tmp_path.iterdir())


def _a_file_in_the_way(place: Path) -> None:
    place.write_text("")


def _no_database(place: Path) -> None:
    place.mkdir()
    (place / "verdicts.sqlite").write_text("certainly no database, and long enough to be looked at as one" * 20)


def _another_table(place: Path) -> None:
    place.mkdir()
    with sqlite3.connect(place / "verdicts.sqlite") as file:
        file.execute("CREATE TABLE verdicts (something TEXT)")
    file.close()


@pytest.mark.parametrize("spoil", [_a_file_in_the_way, _no_database, _another_table])
def test_where_it_cannot_be_used_all_is_judged(spoil, place):
    spoil(place)
    judge = Asked()
    assert cached({}, ASKED, judge) == cached({}, ASKED, judge) == [0.3, None, 0.3, 0.3]
    assert judge.seen == [[0, 1, 2]] * 2


def test_a_file_that_nobody_may_write_is_read(place):
    """Root may write anything, so the file system is asked by SQLite's own mode."""
    judge = Asked()
    cached({}, ASKED, judge)
    (place / "verdicts.sqlite").chmod(0o444)
    place.chmod(0o555)
    try:
        assert cached({}, ASKED, judge) == [0.3, None, 0.3, 0.3]
    finally:
        place.chmod(0o755)
    if os.geteuid():
        assert judge.seen[1] == [1]


def test_several_processes_at_once(place):
    """Each judges its own and the others' verdicts: every one of them is kept, and none is in another's way."""
    code = """
import sys
from holdfast.judges._cache import cached

mine = int(sys.argv[1])
for turn in range(20):
    asked = [(f"{mine}/{turn}/{at}", "yes") for at in range(5)] + [("shared", str(turn))]
    assert cached({}, asked, lambda which: [[(at, mine / 10)] for at in which])[:5] == [mine / 10] * 5
"""
    running = [subprocess.Popen([sys.executable, "-c", code, str(at)]) for at in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    with sqlite3.connect(place / "verdicts.sqlite") as file:
        assert file.execute("SELECT count(*) FROM verdicts").fetchone() == (3 * 20 * 5 + 20,)
    file.close()


@pytest.mark.parametrize(
    ("platform", "given", "expected"),
    [
        ("linux", {"HOME": "/h"}, "/h/.cache/holdfast"),
        ("linux", {"HOME": "/h", "XDG_CACHE_HOME": "/x"}, "/x/holdfast"),
        ("darwin", {"HOME": "/h"}, "/h/Library/Caches/holdfast"),
        ("win32", {"HOME": "/h", "LOCALAPPDATA": "/l"}, "/l/holdfast/cache"),
        ("linux", {"HOME": "/h", "HOLDFAST_CACHE": "~/own"}, "/h/own"),
        ("linux", {"HOME": "/h", "HOLDFAST_CACHE": "off"}, None),
    ],
)
def test_where_it_is(platform, given, expected, monkeypatch):
    for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA", "HOLDFAST_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert folder() == (expected and Path(expected))
