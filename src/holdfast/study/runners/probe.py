"""Whether a Ray cluster answers, asked by a process of its own.

Where it does not, or refuses a token, Ray itself waits for minutes, writes pages, and may end the process that asked.
"""

import os
import subprocess
import sys
import tempfile
import time
from typing import IO, Final

from holdfast.errors import ConfigError

_ANSWER: Final = 15.0
"""Seconds in which it must answer."""
_PAGES: Final = 100_000
"""Bytes of what Ray writes that are read."""
_ASK: Final = """
import logging, socket, sys
host, _, port = sys.argv[1].removeprefix("ray://").rpartition(":")
if host:
    socket.create_connection((host.strip("[]"), int(port)), 5).close()
import ray
ray.init(sys.argv[1], logging_level=logging.ERROR, log_to_driver=False)
"""


def probe(address: str) -> None:
    """Find out whether a cluster can be used.

    Args:
        address: as Ray understands it, `ray://` or not.

    Raises:
        ConfigError: there is none, it does not answer in time, it refuses the token, or its versions differ.
    """
    with tempfile.TemporaryFile() as said:
        asked = subprocess.Popen(  # noqa: S603 - our own Python, our own words
            [sys.executable, "-c", _ASK, address], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said
        )
        try:
            end = time.monotonic() + _ANSWER
            while asked.poll() is None and time.monotonic() < end and not _refused(_read(said)):
                time.sleep(0.05)
            if asked.poll() != 0:
                raise ConfigError(_why(address, _read(said)))
        finally:
            asked.kill()
            asked.wait()


def _read(said: IO[bytes]) -> str:
    return os.pread(said.fileno(), _PAGES, 0).decode(errors="replace")


def _refused(said: str) -> bool:
    """Whether a token was; Ray would go on trying."""
    return "Unauthenticated" in said or "AuthenticationError" in said


def _why(address: str, said: str) -> str:
    """What to tell of a cluster that cannot be used, by what Ray wrote to the terminal."""
    where = f"the Ray cluster at {address}"
    if _refused(said):
        return (
            f"{where} refuses the token: set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN to the token that the "
            "cluster was started with (`ray get-auth-token` on its head prints it)."
        )
    if "ray[client]" in said:
        return f"{where} is asked for by Ray's client, which is not installed: pip install 'ray[client]'."
    if "Could not find any running Ray" in said:
        return f"no Ray cluster runs on this machine (address {address!r}): `ray start --head` starts one."
    *_, last = said.strip().splitlines() or [""]
    if "Version mismatch" in said:
        told = said[said.index("Version mismatch") :]
        return f"{where} has other versions: {' '.join(told.split())}"
    if "OSError" in last or "Error: [Errno" in last or "ConnectionRefused" in last or "gaierror" in last:
        return f"{where} cannot be reached ({last}): is the address right, has it been started, is the port open?"
    return (
        f"{where} did not answer within {_ANSWER:g} s ({last.strip()}). A machine that asks has to be one of its nodes "
        f"(`ray start --address={address}` here), or to ask by ray://HOST:10001; and to use TLS where "
        "the cluster does."
    )
