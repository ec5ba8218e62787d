"""Programs that have a Milvus Lite file open, as processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from store_program import open_store
from test_store import ALBUM, vectors

PROGRAM = Path(__file__).with_name("store_program.py")
PYMILVUS = """
import sys, pymilvus
client = pymilvus.MilvusClient(sys.argv[1])
print('"ready"', flush=True)
sys.stdin.read()
"""


class Process:
    """A running program with pipes; commands and answers are lines of JSON."""

    def __init__(self, *command: str | Path) -> None:
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        self.process = subprocess.Popen([sys.executable, *map(str, command)], text=True, **pipes)

    def send(self, *command: Any) -> None:
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def receive(self) -> Any:
        line = self.process.stdout.readline()
        if not line:
            pytest.fail(f"the program ended: {self.process.stderr.read()}")
        return json.loads(line)

    def run(self, *command: Any) -> Any:
        self.send(*command)
        return self.receive()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> str:
        """End the input; return what the program wrote to stderr."""
        _, errors = self.process.communicate(timeout=30)
        return errors


StartProgram = Callable[..., Process]


def find_nearest(database: Path, seed: int) -> list[int]:
    with open_store(database) as store:
        return [hit.id for hit in store.search(ALBUM, vectors(1, seed)[0], 5)]
