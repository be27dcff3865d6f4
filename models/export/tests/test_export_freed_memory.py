"""Freed arrays leave the process, whatever was allocated behind them."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

# The one freed first would teach glibc to keep those that follow.
FREES = """
import numpy as np
from export.freed_memory import give_back_freed

give_back_freed()
first = np.ones(4_000_000, np.float32)
del first
arrays = [np.ones(2_000_000, np.float32) for _ in range(50)]
del arrays[:-1]
status = open("/proc/self/status").read()
print(status.split("RssAnon:")[1].split()[0])
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="tells glibc, which is not here")
def test_freed_arrays_leave_the_process() -> None:
    root = Path(__file__).parents[1]
    kilobytes = int(subprocess.run([sys.executable, "-c", FREES], cwd=root, check=True, capture_output=True).stdout)
    assert kilobytes < 150_000
