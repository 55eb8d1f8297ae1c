"""What every test has: checked shapes, no network, one thread, a tiny model and a little data."""

import atexit
import gc
import os
import shutil
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
# Nothing here is compiled; but bitsandbytes, which PEFT imports, would have seconds of compilers imported everywhere.
os.environ["TORCHDYNAMO_DISABLE"] = "1"
# Verdicts of judges are kept for this run alone, and for every process that it starts.
if "HOLDFAST_TESTS" not in os.environ.get("HOLDFAST_CACHE", ""):
    os.environ["HOLDFAST_CACHE"] = tempfile.mkdtemp(prefix="HOLDFAST_TESTS-")
    atexit.register(shutil.rmtree, os.environ["HOLDFAST_CACHE"], ignore_errors=True)

import functools
import random
import signal
import socket
from typing import TYPE_CHECKING, Any

import pytest
from beartype._check.code import codemain
from jaxtyping import install_import_hook

# The rooms where tensors flow. Their functions check types and shapes at every call; it has to be
# asked for before any of them is imported. Metrics are left out: they take a `Domain`, a protocol
# that is not checkable at run time, and no tensor.
CHECKED = ("holdfast.models", "holdfast.training", "holdfast.defences", "holdfast.attacks")
install_import_hook(CHECKED, "beartype.beartype")
# The checker looks at one item of a list, and draws which: not from the generator that tests look at.
codemain.getrandbits = random.Random(0).getrandbits

if TYPE_CHECKING:
    from holdfast.interfaces import Model, View
    from small import FakeDomain

# Whoever starts the tests in the background of a script has them ignore Ctrl-C, and all that they start with them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@functools.cache
def _libraries() -> None:
    """Import the large ones: within a module that the hook checks all is compiled anew, theirs too."""
    import datasets  # noqa: F401
    import peft  # noqa: F401
    import scipy.stats  # noqa: F401
    import torch
    import transformers.trainer  # noqa: F401

    torch.set_num_threads(1)


def pytest_collectstart() -> None:
    """Only where tests are collected: the process that hands them out needs no library."""
    _libraries()


def pytest_collection_finish() -> None:
    """What is there by now stays: every training run collects garbage, and would look through all of it in vain."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anywhere but this machine fails the test that makes it."""
    connect = socket.socket.connect

    def local_only(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and address[0] not in {"127.0.0.1", "::1", "localhost"}:
            raise AssertionError(f"a test tried to connect to {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", local_only)


@pytest.fixture
def view() -> "View":
    """Eight pairs and eight harmless exchanges."""
    from holdfast.interfaces import View
    from small import EXCHANGES, PAIRS

    return View(pairs=PAIRS, exchanges=EXCHANGES)


@pytest.fixture
def model() -> "Model":
    """A tiny Llama that knows the words of `view`; new for every test."""
    from holdfast.models.tiny import tiny
    from small import TEXTS

    return tiny(texts=TEXTS)


@pytest.fixture
def domain() -> "FakeDomain":
    """The data of `view` as a domain."""
    from small import FakeDomain

    return FakeDomain()
