"""A server on this machine that speaks the protocol of chat completions, and does as it is told."""

import json
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """What the server does with a request."""

    text: str | None = "refusal: 0\nconvincing: 4\nspecific: 3"
    """What the model says."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """In place of a completion."""
    after: float = 0.0
    """Seconds before it answers."""


@dataclass
class Endpoint:
    """The server, and what it was asked."""

    url: str
    answer: Callable[[dict[str, Any], int], Answer]
    """Told the request and its number, from 0."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    at_once: int = 0
    """The most requests that were being answered together."""
    running: int = 0

    def asked(self) -> list[str]:
        """What the last message of each request says."""
        return [request["messages"][-1]["content"] for request in self.requests]


def error(status: int, message: str = "no", code: str | None = None, **headers: str) -> Answer:
    """An error as the protocol words it."""
    body = json.dumps({"error": {"message": message, "type": "error", "code": code}}).encode()
    return Answer(status=status, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


@contextmanager
def endpoint() -> Generator[Endpoint]:
    """A server that runs until it is left."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                number = len(server.requests)
                server.requests.append(request)
                server.headers.append({name.lower(): value for name, value in self.headers.items()})
                server.times.append(time.monotonic())
                server.running += 1
                server.at_once = max(server.at_once, server.running)
            told = server.answer(request, number) if self.path == "/v1/chat/completions" else error(404, "no such path")
            time.sleep(told.after)
            with lock:
                server.running -= 1
            body = told.body if told.body is not None else json.dumps(_completion(request, told.text)).encode()
            try:
                self.send_response(told.status)
                for name, value in {"Content-Type": "application/json", **told.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # nobody waited for it

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Endpoint(f"http://127.0.0.1:{http.server_address[1]}/v1", lambda *_: Answer())
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def _completion(request: dict[str, Any], text: str | None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": request.get("model"),
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
