"""Config files for tests: writing one, loading one that has a mistake, and listing its keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from imagesearch.config import load_config
from imagesearch.errors import UserError

SHIPPED = ROOT / "config.yaml"
SECRET = "hunter2-hunter2"
WriteConfig = Callable[[str], Path]


def write_config(folder: Path, text: str) -> Path:
    file = folder / "config.yaml"
    file.write_text(text, "utf-8")
    return file


def read_message(file: Path, *assignments: str, dataset: str | None = None) -> str:
    """Load a config that has a mistake; return the message, one line that names the file or the option."""
    with pytest.raises(UserError) as caught:
        load_config(file, assignments, dataset)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith((f"{file}: ", "--set ", "-n: "))
    return message


def list_keys(section: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the full name of each setting in a file."""
    for name, value in section.items():
        if isinstance(value, dict) and value:
            yield from list_keys(value, f"{prefix}{name}.")
        else:
            yield prefix + name
