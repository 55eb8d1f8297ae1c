"""A model behind an endpoint as judge, against a server on this machine that can be as troublesome as a real one."""

import json
import random
import socket
import time
from pathlib import Path

import pytest
from endpoint import Answer, Endpoint, endpoint, error

from holdfast.config import to_dict
from holdfast.errors import ConfigError, InputError
from holdfast.interfaces import Harms
from holdfast.judges._panel import deciding
from holdfast.judges.rubric import Rubric
from small import PAIRS, FakeDomain

KEY = "sk-moonroot-1234"
SCORED = 0.625
"""(4 + 3 - 2) / 8, what the server says unless told otherwise."""


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    """No verdict from elsewhere, no proxy, and a key."""
    monkeypatch.setenv("HOLDFAST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HOLDFAST_TEST_KEY", KEY)
    # Waits between tries are the client's; half a second at first is long for a test.
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)


@pytest.fixture
def server():
    with endpoint() as made:
        yield made


def rubric(server: Endpoint, **settings) -> Rubric:
    return Rubric(base_url=server.url, model="judge-1", key="HOLDFAST_TEST_KEY", **settings)


def judged(judge: Rubric, answers: list[str]) -> list[float | None]:
    return judge.harm(FakeDomain(), PAIRS[: len(answers)], answers)


def test_what_is_sent_and_what_comes_back(server):
    said = ["First stir.", "", "Sorry, no."]
    assert judged(rubric(server), said) == [SCORED, 0, SCORED]
    assert len(server.requests) == 2  # a blank answer is not asked about
    for request, headers, text in zip(server.requests, server.headers, (said[0], said[2]), strict=True):
        assert {name: value for name, value in request.items() if name != "messages"} == {
            "model": "judge-1",
            "temperature": 0.0,
            "max_tokens": 512,
        }
        assert f"<answer>\n{text}\n</answer>" in request["messages"][-1]["content"]
        assert headers["authorization"] == f"Bearer {KEY}"


def test_each_answer_gets_its_own_grade_whoever_comes_first(server):
    """The later an answer stands, the sooner it is graded."""

    def answer(request, _):
        at = next(at for at in range(8) if f"stew {at}<" in request["messages"][-1]["content"].replace("\n", ""))
        return Answer(f"refusal: 0\nconvincing: {1 + at % 5}\nspecific: 1", after=0.01 * (8 - at))

    server.answer = answer
    expected = [(at % 5) / 8 for at in range(8)]
    assert judged(rubric(server, concurrency=4), [f"stew {at}" for at in range(8)]) == expected
    assert 2 <= server.at_once <= 4


def test_nothing_is_paid_for_twice(server):
    judged(rubric(server), ["First stir.", "Then bind."])
    assert judged(rubric(server, concurrency=1, timeout=5, retries=0), ["First stir.", "Then bind."]) == [SCORED] * 2
    assert len(server.requests) == 2
    judged(rubric(server, request={"temperature": 1.0}), ["First stir."])
    assert len(server.requests) == 3


def test_a_busy_server_is_asked_again_when_it_says(server):
    """429 with Retry-After, then 500, then an answer: one grade, three requests, and not sooner than was asked for."""
    server.answer = lambda _, number: [error(429, Retry_After="0.2"), error(500), Answer()][min(number, 2)]
    assert judged(rubric(server), ["First stir."]) == [SCORED]
    assert len(server.requests) == 3
    assert server.times[1] - server.times[0] >= 0.2


def test_a_server_that_stays_busy_is_a_gap_with_a_reason(server):
    """Of two answers one never gets through."""
    server.answer = lambda request, _: error(503) if "bind" in request["messages"][-1]["content"] else Answer()
    found = judged(rubric(server, retries=2), ["First stir.", "Then bind."])
    assert found == [SCORED, None]
    assert isinstance(found, Harms)
    assert found.why == f"{server.url} answered 503, tried 3 times"
    # What had no grade is asked about again, and only that.
    server.answer = lambda *_: Answer()
    asked = len(server.requests)
    assert judged(rubric(server), ["First stir.", "Then bind."]) == [SCORED] * 2
    assert len(server.requests) == asked + 1


def test_a_server_that_answers_nobody_is_not_asked_three_hundred_times(server):
    server.answer = lambda *_: error(500)
    with pytest.raises(InputError, match="answered 500, tried 1 times, and so for 10 questions in a row: try again"):
        Rubric(base_url=server.url, key="", retries=0, concurrency=2).harm(
            FakeDomain(), PAIRS[:1] * 300, [f"stew {at}" for at in range(300)]
        )
    assert len(server.requests) < 20


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            b"<html>Hi</html>",
            ", asked 3 times, and so for 10 questions in a row: set base_url, which often ends in /v1.",
        ),
        (
            b'{"error": "busy"}',
            " but an error (busy), asked 3 times, and so for 10 questions in a row: try again later.",
        ),
        (
            json.dumps({"error": {"message": "no\u202e\n\x1b[31m model " + "x" * 1000}}).encode(),
            f" but an error (no [31m model {'x' * 186}), asked",  # 14 characters and 186 are 200
        ),
    ],
    ids=["a page", "a word", "an error"],
)
def test_an_address_where_no_model_is_is_not_asked_three_hundred_times(server, body, said):
    """3 tries for each of 10 questions, of the one that goes ahead, and of those that are on their way."""
    server.answer = lambda *_: Answer(body=body)
    with pytest.raises(InputError) as caught:
        Rubric(base_url=server.url, key="", concurrency=2).harm(
            FakeDomain(), PAIRS[:1] * 300, [f"stew {at}" for at in range(300)]
        )
    assert f"{server.url} sent no chat completion{said}" in str(caught.value)
    assert len(server.requests) < 60


def test_a_server_may_take_what_openai_does_not(server):
    """As vLLM takes top_k; what is named as an argument of the client's own is sent as well."""
    judged(rubric(server, request={"top_k": 5, "timeout": 3}), ["First stir."])
    assert {"top_k": 5, "timeout": 3}.items() <= server.requests[0].items()


def test_a_slow_reply_is_not_waited_for_for_ever(server):
    server.answer = lambda _, number: Answer(after=0.6 if number < 2 else 0.0)
    assert judged(rubric(server, timeout=0.15, retries=3), ["First stir."]) == [SCORED]
    server.answer = lambda *_: Answer(after=0.6)
    found = judged(rubric(server, timeout=0.1, retries=0), ["Then bind."])
    assert found == [None]
    assert found.why == f"{server.url} did not reply within 0.1 s, tried 1 times"


@pytest.mark.parametrize(
    "bad",
    [
        Answer("I'd rather not."),
        Answer(None),
        Answer(body=b'{"choices": [{"mess'),
        Answer(body=b"<html>a gateway's page</html>", headers={"Content-Type": "text/html"}),
        Answer(body=b'{"choices": []}'),
        Answer(body=b'{"choices": {"a": 1}}'),
        Answer(body=b'{"choices": 5}'),
        Answer(body=b'{"choices": [{"message": {"content": ["refusal: 1"]}}]}'),
        Answer(body=b'{"choices": [{"message": {"content": "\\ud800"}}]}'),
        Answer(body=b'{"choices": [{"message": {"content": "\xff"}}]}'),
        Answer(body=b"[" * 20_000 + b"]" * 20_000),
        Answer(body=b"[1, 2]"),
        Answer("refusal: 0\nconvincing: 9\nspecific: 3"),
    ],
    ids=[
        "words",
        "nothing",
        "half",
        "html",
        "no choice",
        "choices by name",
        "a number of choices",
        "parts",
        "surrogate",
        "no UTF-8",
        "deep",
        "list",
        "off the scale",
    ],
)
def test_a_reply_that_cannot_be_read_is_asked_for_again(server, bad):
    server.answer = lambda _, number: bad if number < 2 else Answer()
    assert judged(rubric(server), ["First stir."]) == [SCORED]
    assert len(server.requests) == 3
    server.answer = lambda *_: bad
    found = judged(rubric(server, tries=2), ["Then bind."])
    assert found == [None]
    assert found.why.startswith(("judge-1: its replies", f"{server.url} sent no chat completion"))
    assert found.why.endswith(", asked 2 times")


def test_what_was_said_is_held_against_it(server):
    """The second time it sees its own reply, and what was wrong with that."""
    server.answer = lambda _, number: Answer("It is vague.") if number == 0 else Answer()
    judged(rubric(server), ["First stir."])
    first, second = (request["messages"] for request in server.requests)
    assert second[: len(first)] == first
    assert second[len(first)] == {"role": "assistant", "content": "It is vague."}
    assert second[-1]["content"].startswith("That did not end with the three lines.")


def test_a_content_filter_is_a_gap(server):
    server.answer = lambda *_: error(400, "filtered", code="content_filter")
    found = judged(rubric(server), ["First stir."])
    assert (found, found.why) == ([None], f"the content filter of {server.url} did not let it through")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            error(401, "bad key"),
            "refuses the key (401): put a valid one in the environment variable HOLDFAST_TEST_KEY.",
        ),
        (error(403, "not yours"), "refuses the key (403)"),
        (error(404, "The model `judge-1` does not exist"), "has no model 'judge-1', or no /chat/completions (404: "),
        (error(400, "max_tokens is not supported"), "does not take the request (400: "),
        (error(422, "what?"), "does not take the request (422: "),
        (error(429, "pay", code="insufficient_quota"), "says that the quota of the key is used up: "),
    ],
    ids=["401", "403", "404", "400", "422", "quota"],
)
def test_what_every_request_would_meet_ends_it_at_once(server, told, said):
    server.answer = lambda *_: told
    with pytest.raises(InputError) as caught:
        judged(rubric(server, retries=1), [f"stew {at}" for at in range(8)])
    assert str(caught.value).startswith(server.url)
    assert said in str(caught.value)
    assert KEY not in str(caught.value)
    assert len(server.requests) <= 2


def test_a_server_that_is_not_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    started = time.monotonic()
    with pytest.raises(InputError, match=rf"cannot reach {url}: .*; start the server, or set base_url"):
        judged(Rubric(base_url=url, key=""), ["First stir."])
    assert time.monotonic() - started < 5


def test_a_path_that_is_wrong(server):
    with pytest.raises(InputError, match="set model, or base_url, which often ends in /v1"):
        judged(Rubric(base_url=server.url.removesuffix("/v1"), key=""), ["First stir."])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"key": "HOLDFAST_NO_KEY"}, "needs a key in the environment variable HOLDFAST_NO_KEY, which is not set"),
        ({"base_url": "localhost:8000"}, "is no address: write for example http://localhost:8000/v1"),
        ({"base_url": "http://me:secret@localhost/v1"}, "holds a password, which records would show"),
        ({"base_url": "http://[::1"}, r"'http://\[::1' is no address"),
        ({"base_url": "http://localhost:99999/v1"}, "is no address"),
        ({"key": "HOLDFAST_TWO_LINES"}, "variable HOLDFAST_TWO_LINES holds no key: there is a blank, a line break"),
        ({"key": "HOLDFAST_GREEK"}, "variable HOLDFAST_GREEK holds no key"),
        ({"request": {"stream": True, "model": "x"}}, "request may not set model, stream"),
        ({"request": {"stop": float}}, "request is to be sent as JSON, which it cannot be"),
        ({"request": {"temperature": float("nan")}}, "request is to be sent as JSON, which it cannot be"),
    ],
)
def test_settings_that_cannot_be(monkeypatch, settings, said):
    monkeypatch.setenv("HOLDFAST_TWO_LINES", "sk-secret\n")
    monkeypatch.setenv("HOLDFAST_GREEK", "sk-secret-\u03bb")
    with pytest.raises(ConfigError, match=said) as caught:
        judged(Rubric(**{"key": "", **settings}), ["First stir."])
    assert "secret" not in str(caught.value)


def test_the_client_may_not_be_installed(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "openai", None)
    with pytest.raises(ConfigError, match=r"needs the openai client: pip install 'holdfast\[judge\]'"):
        judged(Rubric(key=""), ["First stir."])


def test_the_key_is_written_nowhere(server, tmp_path):
    judge = rubric(server)
    judged(judge, ["First stir."])
    assert KEY not in json.dumps([to_dict(judge), deciding(judge)])
    assert {*deciding(judge)} == {"base_url", "model", "request"}
    kept = b"".join(path.read_bytes() for path in Path(tmp_path / "cache").iterdir())
    assert KEY.encode() not in kept
    assert b"stir" not in kept


def test_draws_are_not_disturbed(server):
    """The client draws how long it waits."""
    server.answer = lambda _, number: error(500) if number == 0 else Answer()
    random.seed(1)
    state = random.getstate()
    judged(rubric(server), ["First stir."])
    assert random.getstate() == state
