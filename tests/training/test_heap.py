"""Memory that a step frees is kept for the next."""

import subprocess
import sys

import pytest

from holdfast.training import heap

FAULTS = """
import resource
import numpy
from holdfast.training import heap

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    numpy.ones(8 << 20)  # 64 MB, and freed
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
left_alone = faults()
with heap.kept():
    faults()
    kept = faults()
print(left_alone, kept, faults() + faults() > 1000)
"""


@pytest.mark.skipif(heap._glibc() is None, reason="another C library")
def test_memory_is_kept_within_and_given_back_after():
    """64 MB are 16,384 pages of 4 kB, or some of 2 MB: asked for anew each time, and within not at all."""
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    left_alone, kept, given_back = done.stdout.split()
    assert int(left_alone) >= 32
    assert int(kept) < int(left_alone) / 10
    assert given_back == "True"


def test_elsewhere_nothing_changes(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    heap._glibc.cache_clear()
    try:
        with heap.kept():
            assert heap._glibc() is None
    finally:
        heap._glibc.cache_clear()
