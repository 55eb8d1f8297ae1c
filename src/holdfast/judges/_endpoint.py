"""Chats with a model behind any OpenAI-compatible endpoint, many at once, by the openai client and its own retries."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pydantic import AnyHttpUrl, TypeAdapter, ValidationError

from holdfast.errors import ConfigError, InputError
from holdfast.judges._completion import failure, short, text

Chat = Sequence[Mapping[str, str]]
Read = Callable[[str], float | None]
"""The number that a reply gives; None where it cannot be read."""

_ENOUGH: Final = 10
"""So many chats without any reply one after the other, and the endpoint is taken to be out of order."""
_LATER: Final = "try again later"


class Got(NamedTuple):
    """What came of one chat."""

    number: float | None
    why: str | None = None
    """Why there is no number, where there is none."""
    remedy: str | None = None
    """Where no model replied at all: what to do if it goes on so."""


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
                row = row + 1 if got.remedy else 0
                if row == _ENOUGH:
                    raise InputError(f"{got.why}, and so for {row} questions in a row: {got.remedy}.")
                yield running[done], got

    def _ahead(self, client: Any, chat: Chat, read: Read) -> Got | None:
        """The first chat, with one retry; None where it is worth more patience."""
        got = self._one(client.with_options(max_retries=min(1, self.retries)), chat, read)
        return got if got.number is not None else None

    def _one(self, client: Any, chat: Chat, read: Read) -> Got:
        import openai

        got, said = Got(None), list(chat)
        for _ in range(self.tries):
            try:
                # All else as it stands: a server may take more than OpenAI's client knows of.
                sent = client.chat.completions.with_raw_response.create(
                    model=self.model, messages=said, extra_body=dict(self.request)
                )
            except openai.APIError as error:
                return self._trouble(error)
            body: bytes = sent.http_response.content
            reply = text(body)
            if reply is None:
                got = self._nothing(body)
            elif (number := read(reply)) is not None:
                return Got(number)
            else:
                got = Got(None, f"{self.model}: its replies do not hold the numbers that were asked for")
                told = {"role": "assistant", "content": reply}
                said = [*chat, told, {"role": "user", "content": self.again}] if reply else said
        return got._replace(why=f"{got.why}, asked {self.tries} times")

    def _nothing(self, body: bytes) -> Got:
        """What came of a reply that is no chat completion."""
        if said := failure(body):
            return Got(None, f"{self.base_url} sent no chat completion but an error ({said})", _LATER)
        return Got(None, f"{self.base_url} sent no chat completion", "set base_url, which often ends in /v1")

    def _client(self) -> Any:
        try:
            import openai
        except ImportError:
            raise ConfigError("the judge rubric needs the openai client: pip install 'holdfast[judge]'.") from None
        try:
            address = TypeAdapter(AnyHttpUrl).validate_python(self.base_url)
        except ValidationError:
            raise ConfigError(
                f"base_url {self.base_url!r} is no address: write for example http://localhost:8000/v1."
            ) from None
        if address.username or address.password:
            raise ConfigError("base_url holds a password, which records would show: put it in an environment variable.")
        return openai.OpenAI(api_key=self._key(), base_url=str(address), timeout=self.timeout, max_retries=self.retries)

    def _key(self) -> str:
        """The key, which a header can carry."""
        key = os.environ.get(self.key, "") if self.key else "none"
        if not key:
            raise ConfigError(
                f"{self.base_url} needs a key in the environment variable {self.key}, which is not set: export it, "
                "name another with key, or set key to '' if the endpoint takes none."
            )
        if not re.fullmatch("[!-~]+", key):
            raise ConfigError(
                f"the environment variable {self.key} holds no key: there is a blank, a line break or a letter beyond "
                "ASCII in it. Export the key alone."
            )
        return key

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
            return Got(None, f"{self.base_url} did not reply within {self.timeout:g} s, {tried}", _LATER)
        if code == "content_filter" or "content management policy" in said:
            return Got(None, f"the content filter of {self.base_url} did not let it through")
        if code != "insufficient_quota" and (status == 429 or (status or 0) >= 500):
            return Got(None, f"{self.base_url} answered {status}, {tried}", _LATER)
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


def _said(error: Any) -> str:
    """What an endpoint, or the network, says of an error."""
    cause = error.__cause__
    told = str(cause) if cause is not None and getattr(error, "status_code", None) is None else ""
    return short(told or str(getattr(error, "message", error)))
