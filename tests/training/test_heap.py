"""Memory that a step frees is kept for the next."""

import subprocess
import sys

import pytest

from holdfast.training import heap

HELD = """
import numpy
import psutil
from holdfast.training import heap

def held():
    return psutil.Process().memory_info().rss >> 20

def used_and_freed():
    numpy.ones(8 << 20)  # 64 MB

used_and_freed()
begun = held()
used_and_freed()
left_alone = held() - begun
with heap.kept():
    used_and_freed()
    kept = held() - begun
print(left_alone, kept, held() - begun)
"""


@pytest.mark.skipif(heap._glibc() is None, reason="another C library")
def test_memory_is_kept_within_and_given_back_after():
    """64 MB that are freed: left alone the process no longer holds them, within it does, and after it not."""
    done = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True)
    left_alone, kept, after = map(int, done.stdout.split())
    assert left_alone < 16
    assert kept > 48
    assert after < 16


def test_elsewhere_nothing_changes(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    heap._glibc.cache_clear()
    try:
        with heap.kept():
            assert heap._glibc() is None
    finally:
        heap._glibc.cache_clear()
