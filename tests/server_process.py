"""A script that serves until it is stopped, as its own process."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Self

from conftest import ROOT

ENV = os.environ | {"PYTHONPATH": str(ROOT / "src")}


def copy_album(source: Path, folder: Path) -> Path:
    """Copy a built album into a new folder; return its config file. Its database is not the source's."""
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("milvus.db.*"))
    file = folder / "config.yaml"
    file.write_text(file.read_text("utf-8").replace(str(source), str(folder)), "utf-8")
    return file


class ServerProcess:
    """A server on a free port of this machine. It has started when its address is printed.

    Attributes
    ----------
    address : str
        Such as ``http://127.0.0.1:40123``.
    """

    def __init__(
        self, script: str, config_file: Path, *options: str, env: dict[str, str] | None = None
    ) -> None:
        command = [sys.executable, str(ROOT / "scripts" / script), "-c", str(config_file), "--port", "0"]
        self.process = subprocess.Popen(
            [*command, *options], env=env or ENV, cwd=config_file.parent, stdout=subprocess.PIPE, text=True
        )
        self.address = ""
        for line in self.process.stdout or ():
            if found := re.search(r"http://\S+", line):
                self.address = found[0]
                break

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the process as Ctrl-C does."""
        self.process.send_signal(2)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            if self.process.stdout:
                self.process.stdout.close()
