"""Which process something belongs to, and whether that process still lives: told only on its own machine."""

import functools
import hashlib
import os
import re
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil

_SCRATCH = re.compile(r"(?P<host>.+)-(?P<pid>\d+)-(?P<started>[0-9a-f]+)\.[0-9a-f]+")
_SAME = 0.05
"""Seconds within which two times of starting are one; the kernel counts in hundredths."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """One process of one machine."""

    host: str
    """The machine's name, with a mark that tells apart machines, and containers, of one name."""
    pid: int
    started: float
    """Seconds after the machine's start, so that a clock that is set does not move it."""

    @classmethod
    def this(cls) -> "Process":
        """The one that asks."""
        return _this(os.getpid())

    def alive(self) -> bool | None:
        """Whether it runs; None where it is another machine's, of which nobody here can tell."""
        if self.host != _host():
            return None
        try:
            process = psutil.Process(self.pid)
            # A pid is given out again: it is another process where it started at another time.
            same = abs(_started(process) - self.started) < _SAME
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True

    def scratch_name(self) -> str:
        """A new name for something temporary of this process: `<host>-<pid>-<started>.<random>`."""
        return f"{self.host}-{self.pid}-{round(self.started * 100):x}.{secrets.token_hex(4)}"

    @classmethod
    def of_scratch(cls, name: str) -> "Process | None":
        """The process that `scratch_name` named something for; None where the name is not of that kind."""
        told = _SCRATCH.fullmatch(name)
        if not told:
            return None
        return cls(host=told["host"], pid=int(told["pid"]), started=int(told["started"], 16) / 100)


@functools.cache
def _this(pid: int) -> Process:
    return Process(host=_host(), pid=pid, started=_started(psutil.Process(pid)))


def _started(process: psutil.Process) -> float:
    return round(process.create_time() - psutil.boot_time(), 2)


@functools.cache
def _host() -> str:
    """The machine's name and six hexadecimal digits of what it is: two containers may share a name, not a pid."""
    told: list[str] = []
    for read in (lambda: Path("/etc/machine-id").read_text(), lambda: str(Path("/proc/self/ns/pid").readlink())):
        try:
            told.append(read().strip())
        except OSError:
            told.append("")
    name = re.sub(r"[^\w.-]+", "_", socket.gethostname()) or "host"
    return f"{name}-{hashlib.sha256(' '.join(told).encode()).hexdigest()[:6]}"
