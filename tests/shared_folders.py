"""Folders that take long to make: made once in a test run, and copied by its other processes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def make_or_copy(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder of this process's own, which is a copy if another process has already made it.

    `make` fills an empty folder. In a copy, ``config.yaml`` and ``images.json`` name the photos of the copy.
    """
    folder = factory.mktemp(name) / "content"
    common = factory.getbasetemp() / f"shared-{name}"
    if "PYTEST_XDIST_WORKER" in os.environ:
        common = common.parent.parent / common.name
    with FileLock(f"{common}.lock"):
        if common.exists():
            shutil.copytree(common, folder)
        else:
            folder.mkdir()
            make(folder)
            unfinished = common.with_name(f"{common.name}-unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.copytree(folder, unfinished)
            (unfinished / "made.in").write_text(str(folder), "utf-8")
            unfinished.rename(common)
            return folder
    source = (folder / "made.in").read_text("utf-8")
    (folder / "made.in").unlink()
    for file in (folder / "config.yaml", *folder.rglob("images.json")):
        file.write_text(file.read_text("utf-8").replace(source, str(folder)), "utf-8")
    return folder
