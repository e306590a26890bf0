"""Freed blocks stay in the process once it was asked to keep them."""

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from aline_tf.runtime.malloc import keep_memory
import numpy as np

if sys.argv[1] == "keep":
    assert keep_memory()
for _ in range(3):
    np.ones(12_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    np.ones(12_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mallopt is of glibc")
def test_large_arrays_come_from_memory_that_the_process_has():
    faults = {
        mode: int(subprocess.check_output([sys.executable, "-c", FAULTS, mode], text=True))
        for mode in ("keep", "leave")
    }
    assert faults["keep"] < 0.1 * faults["leave"]


def test_another_system_is_left_alone(monkeypatch):
    from aline_tf.runtime import malloc as memory

    monkeypatch.setattr(memory.sys, "platform", "darwin")
    assert memory.keep_memory() is False


def test_memory_is_given_back_where_the_library_can(monkeypatch):
    from aline_tf.runtime import malloc

    asked = []
    library = type("Library", (), {"malloc_trim": staticmethod(asked.append)})
    monkeypatch.setattr(malloc.ctypes, "CDLL", lambda name: library)
    monkeypatch.setattr(malloc.sys, "platform", "linux")
    malloc.return_memory()
    monkeypatch.setattr(malloc.ctypes, "CDLL", lambda name: object())
    malloc.return_memory()
    assert asked == [0]
