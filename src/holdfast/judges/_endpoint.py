"""Chats with a model behind any OpenAI-compatible endpoint, many at once, by the openai client and its own retries."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from holdfast.errors import ConfigError, InputError

Chat = Sequence[Mapping[str, str]]
Read = Callable[[str], float | None]
"""The number that a reply gives; None where it cannot be read."""

_ENOUGH: Final = 10
"""So many chats without any reply one after the other, and the endpoint is taken to be out of order."""
_SHOWN: Final = 200
"""Characters of what an endpoint says that are shown."""


class Got(NamedTuple):
    """What came of one chat."""

    number: float | None
    why: str | None = None
    """Why there is no number, where there is none."""
    silent: bool = False
    """Whether the endpoint gave no reply at all."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where chats are sent, and how patiently."""

    base_url: str
    model: str
    key: str
    """The environment variable that holds the key; empty where none is needed."""
    request: Mapping[str, Any]
    """What else is asked for."""
    timeout: float
    """Seconds for one reply."""
    retries: int
    """How often a request is sent again on 429, 5xx, a broken connection, or no reply in time."""
    tries: int
    """How often a question is put in all, while replies cannot be read."""
    again: str
    """What is said after such a reply."""
    concurrency: int

    def numbers(self, chats: Sequence[Chat], read: Read) -> Iterator[tuple[int, Got]]:
        """What came of each chat, as they end; the first goes ahead, so that what is wrong is found at once.

        Raises:
            ConfigError: the client is not installed, or the key is not there.
            InputError: the endpoint cannot be reached, or takes neither key, model nor request.
        """
        client = self._client()
        row = 0
        with _Threads(self.concurrency) as pool:
            first = self._ahead(client, chats[0], read) if chats else None
            if first:
                yield 0, first
            left = [at for at in range(len(chats)) if at or not first]
            running = {pool.submit(self._one, client, chats[at], read): at for at in left}
            for done in as_completed(running):
                got = done.result()
                row = row + 1 if got.silent else 0
                if row == _ENOUGH:
                    raise InputError(f"{got.why}, and so for {row} questions in a row: try again later.")
                yield running[done], got

    def _ahead(self, client: Any, chat: Chat, read: Read) -> Got | None:
        """The first chat, with one retry; None where it is worth more patience."""
        got = self._one(client.with_options(max_retries=min(1, self.retries)), chat, read)
        return got if got.number is not None else None

    def _one(self, client: Any, chat: Chat, read: Read) -> Got:
        import openai

        said, why = list(chat), "no reply could be read"
        for _ in range(self.tries):
            try:
                made = client.chat.completions.create(model=self.model, messages=said, **self.request)
            except openai.APIError as error:
                return self._trouble(error)
            except ValueError:  # a body that is no JSON
                continue
            text = _text(made)
            if (number := read(text)) is not None:
                return Got(number)
            if text:
                why = "its replies do not hold the numbers that were asked for"
                said = [*chat, {"role": "assistant", "content": text}, {"role": "user", "content": self.again}]
        return Got(None, f"{self.model}: {why}, asked {self.tries} times")

    def _client(self) -> Any:
        try:
            import openai
        except ImportError:
            raise ConfigError("the judge rubric needs the openai client: pip install 'holdfast[judge]'.") from None
        address = urlsplit(self.base_url)
        if address.scheme not in {"http", "https"} or not address.hostname:
            raise ConfigError(f"base_url {self.base_url!r} is no address: write for example http://localhost:8000/v1.")
        if address.username or address.password:
            raise ConfigError("base_url holds a password, which records would show: put it in an environment variable.")
        key = os.environ.get(self.key, "") if self.key else "none"
        if not key:
            raise ConfigError(
                f"{self.base_url} needs a key in the environment variable {self.key}, which is not set: export it, "
                "name another with key, or set key to '' if the endpoint takes none."
            )
        return openai.OpenAI(api_key=key, base_url=self.base_url, timeout=self.timeout, max_retries=self.retries)

    def _trouble(self, error: Any) -> Got:
        """What came of one chat that failed, where another may not.

        Raises:
            InputError: every other would fail likewise.
        """
        import openai

        status: int | None = getattr(error, "status_code", None)
        code, said = str(getattr(error, "code", None) or ""), _said(error)
        tried = f"tried {self.retries + 1} times"
        if isinstance(error, openai.APITimeoutError):
            return Got(None, f"{self.base_url} did not reply within {self.timeout:g} s, {tried}", silent=True)
        if code == "content_filter" or "content management policy" in said:
            return Got(None, f"the content filter of {self.base_url} did not let it through")
        if code != "insufficient_quota" and (status == 429 or (status or 0) >= 500):
            return Got(None, f"{self.base_url} answered {status}, {tried}", silent=True)
        raise InputError(self._mistake(status, code, said)) from error

    def _mistake(self, status: int | None, code: str, said: str) -> str:
        """What is wrong with all requests, and what to do."""
        if status is None:
            return f"cannot reach {self.base_url}: {said}; start the server, or set base_url."
        if code == "insufficient_quota":
            return f"{self.base_url} says that the quota of the key is used up: {said}."
        if status in {401, 403}:
            place = (
                f"the environment variable {self.key}" if self.key else "an environment variable, and name it in key"
            )
            return f"{self.base_url} refuses the key ({status}): put a valid one in {place}."
        if status == 404:
            return (
                f"{self.base_url} has no model {self.model!r}, or no /chat/completions (404: {said}): set model, or "
                "base_url, which often ends in /v1."
            )
        return (
            f"{self.base_url} does not take the request ({status}: {said}): set request to what the model takes beside "
            "model and messages."
        )


class _Threads(ThreadPoolExecutor):
    """Threads that are not waited for where something went wrong."""

    def __exit__(self, kind: Any, *_: Any) -> None:
        self.shutdown(wait=kind is None, cancel_futures=True)


def _text(made: Any) -> str:
    """What a completion says; nothing where it is not shaped like one."""
    choices = getattr(made, "choices", None) or []
    message = getattr(choices[0], "message", None) if choices else None
    content = getattr(message, "content", None)
    return content if isinstance(content, str) else ""


def _said(error: Any) -> str:
    """What an endpoint, or the network, says of an error."""
    cause = error.__cause__
    told = str(cause) if cause is not None and getattr(error, "status_code", None) is None else ""
    return " ".join((told or str(getattr(error, "message", error))).split()).rstrip(".")[:_SHOWN]
