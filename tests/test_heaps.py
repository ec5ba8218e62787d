"""The heaps of a server with many threads."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

# Each thread allocates while all others live: without a limit, glibc makes a heap for each of them.
PROGRAM = """
import ctypes, sys, tempfile, threading
from imagesearch.serving import limit_heaps
if sys.argv[1] == "limit":
    print(limit_heaps(), end=" ")
meeting = threading.Barrier(6)
def allocate():
    blocks = [bytearray(4000) for _ in range(100)]
    meeting.wait()
threads = [threading.Thread(target=allocate) for _ in range(5)]
[t.start() for t in threads]
meeting.wait()
[t.join() for t in threads]
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile() as file:
    stream = ctypes.c_void_p(libc.fopen(file.name.encode(), b"w"))
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    print(file.read().count(b"<heap nr="))
"""


def count_heaps(limit: str, **variables: str) -> list[str]:
    environment = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    command = [sys.executable, "-c", PROGRAM, limit]
    done = subprocess.run(command, capture_output=True, text=True, env=environment | variables)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has no such heaps")
def test_threads_share_two_heaps() -> None:
    assert int(count_heaps("none")[0]) > 2
    assert count_heaps("limit") == ["True", "2"]


def test_the_users_limit_stays() -> None:
    assert count_heaps("limit", MALLOC_ARENA_MAX="1")[0] == "False"
