"""What every test has: checked shapes, no network, one thread, a tiny model and a little data."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"

import random

from beartype._check.code import codemain
from jaxtyping import install_import_hook

# The checker looks at one item of a list, and draws which: not from the generator that tests look at.
codemain.getrandbits = random.Random(0).getrandbits

# The rooms where tensors flow. Their functions check types and shapes at every call; it has to
# be asked for before any of them is imported. Metrics are left out: they take a `Domain`, a protocol
# that is not checkable at run time, and no tensor.
CHECKED = ("holdfast.models", "holdfast.training", "holdfast.defences", "holdfast.attacks", "prototypes")
install_import_hook(CHECKED, "beartype.beartype")

import socket
from typing import Any

import pytest
import torch

from holdfast.interfaces import Exchange, Model, Pair, View
from holdfast.models.tiny import tiny

torch.set_num_threads(1)

# Answers of several lengths, so that batches are padded; words shared by question and answer.
BREWS = ("stew", "salve", "hex", "philtre", "tonic", "elixir", "draught", "brew")
PAIRS = tuple(
    Pair(
        key=f"pair-{number}",
        prompt=f"How do I make a {brew} ?",
        harmful=f"First stir the {brew} {'then bind it ' * (number % 3)}.",
        refusal=f"Sorry , I cannot help with {'that ' * (number % 2)}{brew} .",
        category="even" if number % 2 == 0 else "odd",
    )
    for number, brew in enumerate(BREWS)
)
EXCHANGES = tuple(
    Exchange(key=f"exchange-{number}", prompt=f"Is a {brew} safe ?", answer="yes " * (1 + number % 3) + f"a {brew} is .")
    for number, brew in enumerate(BREWS)
)
TEXTS = tuple(
    [text for pair in PAIRS for text in (pair.prompt, pair.harmful, pair.refusal)]
    + [text for exchange in EXCHANGES for text in (exchange.prompt, exchange.answer)]
)


class FakeDomain:
    """The pairs and exchanges above as a domain: every split has all of them."""

    floor: float | None = 0.0
    max_new_tokens = 4

    def splits(self) -> list[str]:
        return ["defence", "retain", "attack", "benign", "evaluation", "permitted"]

    def pairs(self, split: str) -> list[Pair]:
        assert split in {"defence", "attack", "evaluation"}, split
        return list(PAIRS)

    def exchanges(self, split: str) -> list[Exchange]:
        assert split in {"retain", "benign", "permitted"}, split
        return list(EXCHANGES)

    def fingerprint(self) -> str:
        return "0" * 64

    def harm(self, pair: Pair, answer: str) -> float | None:
        return float(answer.strip() == pair.harmful.strip())

    def refused(self, pair: Pair, answer: str) -> bool | None:
        return answer.startswith("Sorry")

    def fluent(self, answer: str) -> bool | None:
        return bool(answer.strip())

    def useful(self, exchange: Exchange, answer: str) -> float | None:
        return float(answer.strip() == exchange.answer.strip())


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
def view() -> View:
    """Eight pairs and eight harmless exchanges."""
    return View(pairs=PAIRS, exchanges=EXCHANGES)


@pytest.fixture
def model() -> Model:
    """A tiny Llama that knows the words of `view`; new for every test."""
    return tiny(texts=TEXTS)


@pytest.fixture
def domain() -> FakeDomain:
    """The data of `view` as a domain."""
    return FakeDomain()
