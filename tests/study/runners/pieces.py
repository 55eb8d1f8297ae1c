"""Pieces of work for the tests of runners: each does, or suffers, one thing."""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from holdfast.errors import Damaged, Diverged, StoreError


def write(path, text, report):
    """Leave a file."""
    Path(path).write_text(text)


def surroundings(path, report):
    """Leave what a piece of work finds around it: its process, threads, temporary folder, and deafness to Ctrl-C."""
    ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    about = [os.getpid(), os.environ["OMP_NUM_THREADS"], tempfile.gettempdir(), ignored]
    write(path, "\n".join(map(str, about)), report)


def threads(path, report):
    """Leave how many threads torch uses."""
    import torch

    write(path, str(torch.get_num_threads()), report)


def meet(folder, name, others, report):
    """Say that one is here, and wait until the others are."""
    (Path(folder) / name).touch()
    wait_for(*(Path(folder) / other for other in others))


def wait_for(*paths, seconds=60.0):
    """Wait until all files are there."""
    end = time.monotonic() + seconds
    while not all(path.exists() for path in paths):
        if time.monotonic() > end:
            raise TimeoutError(f"waited for {paths}")
        time.sleep(0.02)


def halfway(folder, report):
    """Report a half, and go on when told to."""
    report(0.5)
    (Path(folder) / "halfway").touch()
    wait_for(Path(folder) / "go on")


def report_often(times, report):
    """Report much more often than anybody looks."""
    for number in range(times):
        report(number / times)


def say_and_leave(code, report):
    """Print, and end the process."""
    print("last words")
    os._exit(code)


def say_and_be_killed(report, number=signal.SIGKILL):
    """Print, and be killed."""
    print("last words")
    os.kill(os.getpid(), number)
    time.sleep(60)


def segfault(report):
    """Crash as a library does."""
    say_and_be_killed(report, signal.SIGSEGV)


def grow(size, report):
    """Hold more and more memory, up to `size` bytes, and keep it for a while."""
    print("growing")
    held = [bytearray(b"x" * 10_000_000) for _ in range(size // 10_000_000)]
    time.sleep(60 if held else 0)


def sleep(seconds, report):
    """Take a while."""
    print("sleeping")
    time.sleep(seconds)


def note_and_sleep(path, report):
    """Leave who does it, and sleep together with a process that was started for it."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    write(path, f"{os.getpid()} {child.pid}", report)
    time.sleep(600)


class Unpicklable(Exception):
    """An error that does not reach another process."""

    def __init__(self, message):
        super().__init__(message)
        self.lock = multiprocessing.get_context("fork").Lock()
        self.function = lambda: None


class FullOfArguments(StoreError):
    """An error that can be pickled, but not read again."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def fail(name, report):
    """Raise an error."""
    print("about to fail")
    raise {
        "value": ValueError("no such thing"),
        "unpicklable": Unpicklable("cannot travel"),
        "memory": MemoryError(),
        "diverged": Diverged(3, {"loss": float("nan")}),
        "store": StoreError("the store is away"),
        "damaged": Damaged("abc", "model abc is not what was written"),
        "full": FullOfArguments("this", "that"),
        "exit": SystemExit(3),
    }[name]


def fail_to_be_read():
    """What a worker calls when it unpickles a `Broken`."""
    raise ImportError("no module of that name")


class Broken:
    """An argument that cannot be unpickled."""

    def __reduce__(self):
        return fail_to_be_read, ()


def chatter(lines, report):
    """Print much more than a pipe holds, and fail."""
    for number in range(lines):
        print(f"line {number}", "x" * 100)
    raise ValueError("that was all")


def note_attempt(folder, name, report):
    """Note each attempt, on which node of a Ray cluster it is, and go on when told to."""
    number = len(list(Path(folder).glob(f"{name}-*")))
    (Path(folder) / f"{name}-{number}").write_text(os.environ["RAY_RAYLET_PID"])
    wait_for(Path(folder) / "go on")


def note_gpu(folder, name, others, report):
    """Meet the others, and note which GPU one may use."""
    meet(folder, name, others, report)
    (Path(folder) / f"gpu of {name}").write_text(os.environ["CUDA_VISIBLE_DEVICES"])
