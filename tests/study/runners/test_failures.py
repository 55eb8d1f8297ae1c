"""What is told of work that did not finish."""

import errno
import pickle

import pytest
import torch
from pieces import FullOfArguments, Unpicklable

from holdfast.errors import ConfigError, Damaged, Diverged, StoreError
from holdfast.study.runners import failures


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("no such thing"), "ValueError: no such thing"),
        (ValueError(), "ValueError"),
        (ValueError("one line,\n  and another"), "ValueError: one line, and another"),
        (KeyError("lr"), "KeyError: 'lr'"),
        (SystemExit(3), "SystemExit: 3"),
        (ConfigError("steps is -1, and must be more than 0."), "steps is -1, and must be more than 0."),
        (
            Diverged(3, {"loss": float("nan")}),
            "the loss stopped being finite at step 4 (loss = nan); try a lower learning rate.",
        ),
        (MemoryError(), "out of memory: MemoryError"),
        (torch.OutOfMemoryError("CUDA out of memory."), "out of memory: CUDA out of memory."),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."),
            "out of memory: DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes.",
        ),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "out of memory: [Errno 12] Cannot allocate memory"),
        (OSError(errno.ENOENT, "No such file"), "FileNotFoundError: [Errno 2] No such file"),
        (Unpicklable("cannot travel"), "Unpicklable: cannot travel"),
    ],
)
def test_an_exception_is_told_in_one_sentence(error, reason):
    assert failures.of_error(error).reason == reason


def test_what_torch_says_without_memory_is_known():
    """A tensor of 2^60 bytes."""
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**60, dtype=torch.uint8)
    assert failures.of_error(raised.value).reason.startswith("out of memory: ")


def test_a_message_that_cannot_be_read_is_no_failure_of_its_own():
    class Silent(Exception):
        def __str__(self):
            raise RuntimeError

    assert failures.of_error(Silent()).reason == "Silent: its message cannot be read"


def test_the_log_ends_with_the_traceback():
    try:
        raise ValueError("no such thing")
    except ValueError as error:
        log = failures.of_error(error, "step 1\nstep 2\n").log
    assert log.startswith("step 1\nstep 2\nTraceback")
    assert log.endswith("ValueError: no such thing\n")


def test_of_a_long_log_the_end_is_kept():
    assert failures.of_exit(3, "a" * 9_000 + "b").log == "a" * 3_999 + "b"
    assert len(failures.of_error(ValueError("x" * 9_000)).log) == 4_000
    assert len(failures.of_error(ValueError("word " * 9_000)).reason) < 400


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (0, "the worker ended with exit code 0"),
        (3, "the worker ended with exit code 3"),
        (-9, "the worker was killed (signal 9); was there too little memory?"),
        (-11, "the worker crashed (SIGSEGV)"),
        (-50, "the worker crashed (signal 50)"),
        (None, "the worker was lost; why is not known"),
    ],
)
def test_the_end_of_a_worker_is_told(code, reason):
    assert failures.of_exit(code).reason == reason


def test_limits_are_told():
    assert failures.of_timeout(600.0).reason == "timed out after 600 s"
    assert failures.of_timeout(0.5).reason == "timed out after 0.5 s"
    memory = failures.of_memory(3_200_000_000, 2_000_000_000).reason
    assert memory == "out of memory: the worker held 3.2 GB, and 2.0 GB are allowed"
    assert "held 62 MB, and 50 MB are" in failures.of_memory(62_000_000, 50_000_000).reason
    assert failures.of_loss(4).reason == "the node was lost 4 times"
    assert failures.of_loss(1).reason == "the node was lost 1 time"


def test_an_error_of_the_store_travels_or_is_told_by_its_sentence():
    damaged = failures.carried(Damaged("abc", "model abc is not what was written"))
    assert isinstance(damaged, Damaged)
    assert damaged.key == "abc"
    told = failures.carried(FullOfArguments("this", "that"))
    assert type(told) is StoreError
    assert str(pickle.loads(pickle.dumps(told))) == "this and that"
    locked = StoreError("the store is away")
    locked.lock = lambda: None
    assert str(failures.carried(locked)) == "the store is away"
