"""How much memory this process holds at most, phase by phase: resident size, or on a GPU what torch has given out."""

import threading
from types import TracebackType
from typing import Final

import psutil
import torch

from holdfast.models import devices

_EVERY: Final = 0.003
"""Seconds between two looks at the resident size. Large memory does not come and go in less: its pages have to be
touched first."""


class Gauge:
    """Watches the process while it is entered; what is held is told apart by the phase that was named last."""

    def __init__(self) -> None:
        self.peaks: dict[str, int] = {}
        """Bytes held at most in each phase."""
        self._now = ""
        self._device = devices.device()
        self._on_gpu = self._device.type == "cuda"
        self._process = psutil.Process()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def phase(self, name: str) -> None:
        """What comes from now on is this phase's. A phase may come again and again."""
        with self._lock:
            self._look()
            self._now = name
            if self._on_gpu:
                torch.cuda.reset_peak_memory_stats(self._device)

    def __enter__(self) -> "Gauge":
        if not self._on_gpu:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.phase("")
        self._ended.set()
        if not self._on_gpu:
            self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_EVERY):
            with self._lock:
                self._look()

    def _look(self) -> None:
        held = torch.cuda.max_memory_allocated(self._device) if self._on_gpu else self._process.memory_info().rss
        if self._now:
            self.peaks[self._now] = max(held, self.peaks.get(self._now, 0))
