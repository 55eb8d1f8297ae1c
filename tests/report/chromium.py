"""A headless Chromium spoken to over its own pipe: the DevTools protocol, with no package between."""

import fcntl
import json
import os
import select
import shutil
import signal
import time
from pathlib import Path
from typing import Any

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking --disable-sync "
    "--disable-component-update --disable-default-apps --disable-extensions --no-first-run --hide-scrollbars "
    "--remote-debugging-pipe"
).split()


class Chromium:
    """One browser with one tab. Messages go down fd 3 and come up fd 4, each ended by a NUL."""

    def __init__(self, directory: Path):
        assert BROWSER is not None
        theirs_in, self._down = os.pipe()
        self._up, theirs_out = os.pipe()
        # Clear of 3 and 4, so that neither is overwritten while the other is set.
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20) for fd in (theirs_in, theirs_out)]
        log = os.open(directory / "chromium.log", os.O_WRONLY | os.O_CREAT, 0o600)
        actions = [(os.POSIX_SPAWN_DUP2, *pair) for pair in ((high[0], 3), (high[1], 4), (log, 1), (log, 2))]
        arguments = [BROWSER, *_OPTIONS, f"--user-data-dir={directory / 'profile'}", "about:blank"]
        self.pid = os.posix_spawn(BROWSER, arguments, dict(os.environ), file_actions=actions, setpgroup=0)
        for fd in (theirs_in, theirs_out, log, *high):
            os.close(fd)
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self("Target.createTarget", url="about:blank")["targetId"]
        self._session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self(f"{domain}.enable")

    def __call__(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command and wait for its answer; what else comes up meanwhile is kept in `events`."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._down, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer)
                return answer["result"]
            self.events.append(answer)

    def open(self, url: str) -> None:
        """Go to a page and wait until it has loaded."""
        self.events.clear()
        self("Page.navigate", url=url)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def told(self, *methods: str) -> list[dict[str, Any]]:
        """What came up by itself since the page was opened, of these methods."""
        return [event["params"] for event in self.events if event.get("method") in methods]

    def value(self, expression: str) -> Any:
        """What an expression comes to in the page. The page's own policy does not bind the protocol."""
        return self("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def width(self, pixels: int) -> None:
        self("Emulation.setDeviceMetricsOverride", width=pixels, height=800, deviceScaleFactor=1, mobile=pixels < 600)

    def close(self) -> None:
        """End the browser, and whatever it started."""
        os.close(self._down)
        for _ in range(100):
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                break
            time.sleep(0.05)
        else:
            os.killpg(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._up)

    def _next(self, seconds: float = 120) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while b"\0" not in self._buffer:
            assert select.select([self._up], [], [], max(0, end - time.monotonic()))[0], "Chromium does not answer"
            piece = os.read(self._up, 2**20)
            assert piece, "Chromium has ended"
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)
