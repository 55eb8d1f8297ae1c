"""A page's commands in a real shell, which hands each `holdfast ...` to this process.

So loops, variables, redirections and exit codes are bash's own, and nothing is imported anew for each command.
"""

import os
import select
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

Handle = Callable[[list[str], Path], tuple[int, str]]
"""Does a command in a folder; gives the exit code and what was printed."""
_ASK = r"""
ask() {
    local code line
    printf '%s\0' "$#" "$PWD" "$@" > "$ASK"
    read -r code < "$TOLD"
    while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done < "$OUT"
    return "$code"
}
command_not_found_handle() { ask "$@"; }
basename() { local name="${1%/}"; printf '%s\n' "${name##*/}"; }
"""


def run(
    script: str,
    folder: Path,
    handle: Handle,
    *,
    asked: Iterable[str],
    outside: bool = True,
    more: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Run a script of bash.

    Args:
        script: what to run.
        folder: where.
        handle: does the commands in `asked`, and those that are not there.
        asked: names of commands that are not the shell's affair.
        outside: whether other programs of this machine may be run; else they are asked about as well.
        more: environment variables.

    Returns:
        How it ended, and what was printed.
    """
    functions = "\n".join(f'{name}() {{ ask {name} "$@"; }}' for name in asked)
    with tempfile.TemporaryDirectory() as pipes:
        ask, told, out, said = (Path(pipes) / name for name in ("ask", "told", "out", "said"))
        for pipe in (ask, told):
            os.mkfifo(pipe)
        out.touch()
        # Open on both of their ends, so that neither side waits for the other, nor finds an end.
        asking, telling = os.open(ask, os.O_RDWR | os.O_NONBLOCK), os.open(told, os.O_RDWR)
        environment = {**os.environ, "ASK": str(ask), "TOLD": str(told), "OUT": str(out), **(more or {})}
        environment["PATH"] = os.environ["PATH"] if outside else "/nowhere"
        whole = f"{_ASK}{functions}\n{script}\n"
        with said.open("w") as printed:
            shell = subprocess.Popen(
                ["/bin/bash", "-c", whole],
                cwd=folder, env=environment, stdout=printed, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            )  # fmt: skip
            try:
                _serve(shell, asking, telling, out, handle)
            finally:
                shell.kill()
                shell.wait()
                os.close(asking)
                os.close(telling)
        return shell.returncode, said.read_text()


def _serve(shell: subprocess.Popen[bytes], asking: int, telling: int, out: Path, handle: Handle) -> None:
    heard = b""
    while True:
        ready, _, _ = select.select([asking], [], [], 0.002)
        if not ready:
            if shell.poll() is not None:
                return
            continue
        heard += os.read(asking, 65536)
        parts = heard.split(b"\0")[:-1]
        if parts and len(parts) == int(parts[0]) + 2:
            _, folder, *words = (part.decode() for part in parts)
            heard = b""
            code, printed = handle(words, Path(folder))
            out.write_text(printed)
            os.write(telling, b"%d\n" % code)
